# Start-ProxyServer and Start-AccessListener: what they take, what they refuse, and that refusing leaves nothing behind.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()

    # Runs a command that must fail with one error and leave no job.
    function Get-StartError([scriptblock] $Command) {
        $before = @(Get-Job).Count
        $output = & $Command -ErrorAction SilentlyContinue 2>&1
        $records = @($output | Where-Object { $_ -is [Management.Automation.ErrorRecord] })
        @($output).Count | Should -Be $records.Count -Because 'nothing but errors comes out'
        @(Get-Job).Count | Should -Be $before -Because 'there is no job without a listener'
        $records
    }
}

AfterAll { $origin.Dispose() }

Describe 'starting listeners' {
    AfterEach { Remove-AllProxyJobs }

    It 'reports a busy port as one error and no job' -ForEach 'Start-ProxyServer', 'Start-AccessListener 127.0.0.1:80' {
        $busy = (Start-ProxyServer).LocalPort
        $problem = Get-StartError ([scriptblock]::Create("$_ -LocalPort $busy"))
        $problem.Count | Should -Be 1
        $problem.FullyQualifiedErrorId | Should -BeLike 'AddressInUse,*'
        $problem.CategoryInfo.Category | Should -Be ResourceExists
        $problem.TargetObject | Should -Be "127.0.0.1:$busy"
        "$problem" | Should -BeLike "*127.0.0.1:$busy*in use*"
    }

    It 'refuses an address that others reach when nothing authenticates them' -ForEach '0.0.0.0', '*', '::' {
        $problem = Get-StartError ([scriptblock]::Create("Start-ProxyServer -LocalAddress '$_'"))
        "$problem" | Should -BeLike '*others can reach it*'
        (Get-StartError ([scriptblock]::Create("Start-AccessListener $($origin.Address) -LocalAddress '$_'"))).Count | Should -Be 1
    }

    It 'listens for others with a key, or when told to' {
        (Start-ProxyServer -LocalAddress 0.0.0.0 -Key (New-ProxyKey)).State | Should -Be Running
        (Start-AccessListener $origin.Address -LocalAddress 0.0.0.0 -AllowAnonymous).State | Should -Be Running
    }

    It 'does nothing with -WhatIf' {
        Start-ProxyServer -WhatIf | Should -BeNullOrEmpty
        Start-AccessListener $origin.Address -WhatIf | Should -BeNullOrEmpty
        Get-Job | Should -BeNullOrEmpty
    }

    It 'reads every bad argument in one go' {
        $problems = Get-StartError { Start-ProxyServer -Key no-key -AllowDestination 1.2.3.4/99 -DenyDestination '::::' -Chain nonsense }
        $problems.FullyQualifiedErrorId -replace ',.*' | Should -Be InvalidKey, InvalidDestinationPattern, InvalidDestinationPattern, InvalidChain
    }

    It 'takes numbers as seconds' {
        (Get-StartError { Start-ProxyServer -IdleTimeout 0 }) | Should -BeLike "*IdleTimeout is '00:00:00'*"
        (Start-ProxyServer -IdleTimeout 30 -ConnectTimeout 0.5 -StopTimeout '0:00:02' -HandshakeTimeout ([timespan]::FromSeconds(3)) -ClockWindow '30').State | Should -Be Running
        (Start-ProxyServer -IdleTimeout Infinite).State | Should -Be Running
        { Start-ProxyServer -IdleTimeout soon } | Should -Throw '*seconds*'
    }

    It 'takes Infinite only where it makes sense' {
        { Start-ProxyServer -StopTimeout Infinite } | Should -Throw "*'Infinite' is not a time*"
    }

    It 'ends an idle connection after so many seconds' {
        $listener = Start-AccessListener $origin.Address -IdleTimeout 0.2
        $client = [ProxyShellTests.Download]::new($listener.LocalPort, '/hang')
        Wait-Until { $client.IsEnded }
        Wait-Until { Get-ProxyEvent -Job $listener -Reason IdleTimeout }
        $client.Dispose()
    }

    It 'turns clients away over -MaxConnections' {
        $listener = Start-AccessListener $origin.Address -MaxConnections 1
        $first = [ProxyShellTests.Download]::new($listener.LocalPort, '/hang')
        Wait-Until { $listener.ActiveConnections -eq 1 }
        $second = [ProxyShellTests.Download]::new($listener.LocalPort, '/hang')
        Wait-Until { $second.IsEnded -and $listener.RefusedConnections -eq 1 }
        (Get-ProxyEvent -Job $listener -Kind Refused).Reason | Should -Be LimitExceeded
        $first.Dispose(); $second.Dispose()
    }

    It 'limits connections of one client, and says so' {
        $listener = Start-AccessListener $origin.Address -MaxConnectionsPerClient 1
        $first = [ProxyShellTests.Download]::new($listener.LocalPort, '/hang')
        Wait-Until { $listener.ActiveConnections -eq 1 }
        $second = [ProxyShellTests.Download]::new($listener.LocalPort, '/hang')
        Wait-Until { Get-ProxyEvent -Job $listener -Reason LimitExceeded }
        $first.Dispose(); $second.Dispose()
    }

    It 'admits only the sources that it is told to: <With>' -ForEach @{ With = '-DenySource 127.0.0.0/8' }, @{ With = '-AllowSource 192.0.2.0/24' } {
        $listener = Invoke-Expression "Start-AccessListener $($origin.Address) $With"
        $client = [ProxyShellTests.Download]::new($listener.LocalPort, '/bytes/1')
        Wait-Until { $client.IsEnded -and (Get-ProxyEvent -Job $listener -Reason ClientNotAdmitted) }
        $client.Bytes | Should -Be 0
        $client.Dispose()
    }

    It 'keeps to a bandwidth' {
        $listener = Start-AccessListener $origin.Address -BandwidthLimit 1MB
        $download = [ProxyShellTests.Download]::new($listener.LocalPort, '/endless')
        $clock = [Diagnostics.Stopwatch]::StartNew()
        Wait-Until { $download.Bytes -gt 1.5MB }
        $clock.Elapsed.TotalSeconds | Should -BeGreaterThan 0.3 -Because 'without a limit this takes no time, and a burst is a fraction of a second'
        $download.Dispose()
    }

    It 'refuses <Command>' -ForEach @(
        @{ Command = 'Start-ProxyServer -AllowSource here'; Id = 'InvalidSource'; Target = 'here' }
        @{ Command = 'Start-ProxyServer -DenySource 10.0.0.0/99'; Id = 'InvalidSource'; Target = '10.0.0.0/99' }
        @{ Command = 'Start-ProxyServer -Credential me'; Id = 'InvalidCredential'; Target = 'credential' }
        @{ Command = 'Start-ProxyServer -MaxConnections 0'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-ProxyServer -BandwidthLimit 10'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-ProxyServer -ClientBandwidthLimit -1'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-ProxyServer -Protocol Relay -Credential $credential'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = 'Start-AccessListener -Protocol Tcp'; Id = 'InvalidProtocol'; Target = 'Tcp' }
        @{ Command = 'Start-AccessListener 127.0.0.1:80 -Protocol Socks5, Http'; Id = 'InvalidProtocol'; Target = 'Socks5,Http' }
        @{ Command = 'Start-AccessListener 127.0.0.1:80 -Protocol Tcp, Udp'; Id = 'InvalidProtocol'; Target = 'Tcp,Udp' }
        @{ Command = 'Start-AccessListener 127.0.0.1:80 -Credential $credential'; Id = 'InvalidOption'; Target = '127.0.0.1:0' }
        @{ Command = '[pscustomobject]@{ Dest = "127.0.0.1:80"; Name = "web" } | Start-AccessListener'; Id = 'InvalidProtocol'; Target = '' }
    ) {
        $credential = [pscredential]::new('me', (ConvertTo-SecureString hunter2 -AsPlainText -Force))
        Invoke-Expression "$Command -ErrorAction SilentlyContinue -ErrorVariable problem" | Should -BeNullOrEmpty
        $problem.Count | Should -Be 1
        $problem[0].FullyQualifiedErrorId | Should -BeLike "$Id,*"
        $problem[0].CategoryInfo.Category | Should -Be InvalidArgument
        "$($problem[0].TargetObject)" | Should -Be $Target
        Get-Job | Should -BeNullOrEmpty
    }

    It 'never takes a missing chain for a direct one' {
        { Start-AccessListener $origin.Address -Chain $null } | Should -Throw '*null*'
        (Get-StartError { Start-AccessListener 127.0.0.1:80 -Chain @() }) | Should -BeLike '*no hops*'
        (Start-AccessListener $origin.Address -Chain direct).Chain.Count | Should -Be 0
    }

    It 'takes a chain as jobs, URIs or a ProxyChain' {
        $p1 = Start-ProxyServer; $p2 = Start-ProxyServer
        (Start-AccessListener $origin.Address -Chain $p1, $p2).Chain.Count | Should -Be 2
        (Start-AccessListener $origin.Address -Chain $p1.Uri).Chain.Count | Should -Be 1
        (Start-AccessListener $origin.Address -Chain (New-ProxyChain $p1, $p2)).Chain.Count | Should -Be 2
    }

    It 'refuses the destination <_>' -ForEach 'nonsense', 'host:0', 'host:99999', '::1:80', 'http://host:80' {
        $problem = Get-StartError ([scriptblock]::Create("Start-AccessListener -Destination '$_'"))
        $problem.Count | Should -Be 1
        $problem.CategoryInfo.Category | Should -Be InvalidArgument
    }

    It 'starts listeners from a CSV file' {
        Set-Content $TestDrive/forwards.csv @('Name,Destination,LocalPort,MaxConnections,BandwidthLimit', "web,$($origin.Address),0,20,1000000", "db,127.0.0.1:5432,,,")
        $jobs = Import-Csv $TestDrive/forwards.csv | Start-AccessListener
        $jobs.Name | Should -Be web, db
        "$($jobs[1].Destination)" | Should -Be 127.0.0.1:5432
        Set-Content $TestDrive/limits.csv 'Name,MaxConnections,BandwidthLimit', 'web,,0', 'db,30,'
        Import-Csv $TestDrive/limits.csv | Set-AccessListener
        (Get-ProxyEvent -Kind Reconfigured).Message | Should -Be 'changed BandwidthLimit from 1000000 to 0', 'changed MaxConnections from 20000 to 30' -Because 'an empty column says nothing'
    }

    It 'listens on a Unix socket' -Skip:$IsWindows {
        $path = Join-Path $TestDrive p.sock
        $job = Start-ProxyServer -LocalAddress "unix:$path"
        $job.Uri | Should -Be "relay+unix:$path"
        (Test-ProxyChain $job -Destination $origin.Address).Status | Should -Be Ok, Ok
        Stop-Job $job
        Test-Path $path | Should -BeFalse
    }

    It 'reads a certificate file relative to the current location' {
        $rsa = [Security.Cryptography.RSA]::Create(2048)
        $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=test', $rsa, [Security.Cryptography.HashAlgorithmName]::SHA256, [Security.Cryptography.RSASignaturePadding]::Pkcs1)
        $certificate = $request.CreateSelfSigned([DateTimeOffset]::Now.AddDays(-1), [DateTimeOffset]::Now.AddDays(1))
        [IO.File]::WriteAllBytes("$TestDrive/server.pfx", $certificate.Export('Pkcs12', 'secret'))
        Push-Location $TestDrive
        try {
            $password = ConvertTo-SecureString secret -AsPlainText -Force
            $job = Start-ProxyServer -Certificate ./server.pfx -CertificatePassword $password
            (Test-ProxyChain $job -Destination $origin.Address).Status | Should -Be Ok, Ok
            $problem = Get-StartError { Start-ProxyServer -Certificate ./missing.pfx }
            $problem.FullyQualifiedErrorId | Should -BeLike 'InvalidCertificate,*'
            (Get-StartError { Start-ProxyServer -Certificate ./server.pfx }).Count | Should -Be 1 -Because 'the password is missing'
        }
        finally { Pop-Location }
    }
}
