# Set-ProxyServer and Set-AccessListener: what changes, what stays, and that a refusal changes nothing.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()
    $credential = [pscredential]::new('me', (ConvertTo-SecureString hunter2 -AsPlainText -Force))

    # Whether a client gets something through the port.
    function Test-Passage([int] $Port) {
        $client = [ProxyShellTests.Download]::new($Port, '/bytes/100')
        try {
            Wait-Until { $client.IsEnded -or $client.Bytes -ge 100 }
            $client.Bytes -ge 100
        }
        finally { $client.Dispose() }
    }
}

AfterAll { $origin.Dispose() }

Describe 'Set-AccessListener' {
    AfterEach { Remove-AllProxyJobs }

    It 'swaps the chain, and what is open lives on over the old one' {
        $one = Start-ProxyServer; $two = Start-ProxyServer
        $web = Start-AccessListener $origin.Address -Chain $one -Name web
        $early = [ProxyShellTests.Download]::new($web.LocalPort, '/endless')
        Wait-Until { $early.Bytes -gt 1MB }

        Set-AccessListener web -Chain $two | Should -BeNullOrEmpty

        "$($web.Chain)" | Should -Be $two.Uri
        Test-Passage $web.LocalPort | Should -BeTrue
        $one.AcceptedConnections, $two.AcceptedConnections | Should -Be 1, 1
        $before = $early.Bytes
        Wait-Until { $early.Bytes -gt $before + 1MB }
        $early.Dispose()
        (Get-ProxyEvent web -Kind Reconfigured).Message | Should -Be "changed Chain from $($one.Uri) to $($two.Uri)"
    }

    It 'connects directly when told so: <How>' -ForEach @(
        @{ How = "-Chain direct"; Warnings = 0 }
        @{ How = '-Chain $null'; Warnings = 1 }
        @{ How = '-Chain @()'; Warnings = 1 }
    ) {
        $web = Start-AccessListener $origin.Address -Chain "relay://127.0.0.1:$(Get-ClosedPort)" -Name web
        Test-Passage $web.LocalPort | Should -BeFalse
        Invoke-Expression "Set-AccessListener web $How -WarningAction SilentlyContinue -WarningVariable warned"
        $warned.Count | Should -Be $Warnings -Because 'a chain may have been lost on the way'
        $web.Chain.Count | Should -Be 0
        Test-Passage $web.LocalPort | Should -BeTrue
    }

    It 'exchanges rules and takes them away' {
        $web = Start-AccessListener $origin.Address
        $web | Set-AccessListener -Rule (New-ProxyRule "*:$($origin.Port)" -Block)
        "$($web.Rules)" | Should -BeLike 'block*'
        Test-Passage $web.LocalPort | Should -BeFalse
        $web | Set-AccessListener -Rule $null
        $web.Rules.Count | Should -Be 0
        Test-Passage $web.LocalPort | Should -BeTrue
        $web | Set-AccessListener -BlockByDefault
        Test-Passage $web.LocalPort | Should -BeFalse
        $web | Set-AccessListener -BlockByDefault:$false
        Test-Passage $web.LocalPort | Should -BeTrue
    }

    It 'sets limits, and leaves those that are not given' {
        $web = Start-AccessListener $origin.Address -MaxConnectionsPerClient 5 -IdleTimeout 60
        $open = [ProxyShellTests.Download]::new($web.LocalPort, '/hang')
        Wait-Until { $web.ActiveConnections -eq 1 }
        $web | Set-AccessListener -MaxConnections 1 -ClientBandwidthLimit 1MB -DenySource 192.0.2.0/24
        Test-Passage $web.LocalPort | Should -BeFalse
        $open.IsEnded | Should -BeFalse
        (Get-ProxyEvent -Job $web -Kind Reconfigured).Message |
            Should -Be 'changed MaxConnections from 20000 to 1; ClientBandwidthLimit from 0 to 1048576; DenySource from none to 192.0.2.0/24'
        $web | Set-AccessListener -MaxConnections 10 -ClientBandwidthLimit 0 -DenySource $null
        Test-Passage $web.LocalPort | Should -BeTrue
        $open.Dispose()
    }

    It 'ends what idles, at once by the new time' {
        $web = Start-AccessListener $origin.Address -IdleTimeout Infinite
        $open = [ProxyShellTests.Download]::new($web.LocalPort, '/hang')
        Wait-Until { $web.ActiveConnections -eq 1 }
        $web | Set-AccessListener -IdleTimeout 0.2
        Wait-Until { $open.IsEnded -and (Get-ProxyEvent -Job $web -Reason IdleTimeout) }
        $open.Dispose()
    }

    It 'takes jobs, names, wildcards, ids and records' {
        $a, $b = 'web-a', 'web-b' | ForEach-Object { Start-AccessListener $origin.Address -Name $_ }
        $server = Start-ProxyServer -Name web-server
        (Set-AccessListener $a, web-b -MaxConnections 11 -PassThru).Name | Should -Be web-a, web-b
        (Set-AccessListener web-* -MaxConnections 12 -PassThru).Name | Should -Be web-a, web-b -Because 'a wildcard means access listeners only'
        (Set-AccessListener -Name $a.Id -MaxConnections 13 -PassThru) | Should -Be $a
        $rows = [pscustomobject]@{ Name = 'web-a'; MaxConnections = '14' }, [pscustomobject]@{ Name = 'web-b'; MaxConnections = '15' }
        ($rows | Set-AccessListener -PassThru).Name | Should -Be web-a, web-b
        (Get-ProxyEvent $a, $b -Kind Reconfigured | Select-Object -Last 2).Message | Should -Be 'changed MaxConnections from 13 to 14', 'changed MaxConnections from 12 to 15'
        Get-ProxyEvent $server -Kind Reconfigured | Should -BeNullOrEmpty
    }

    It 'says when nothing is given' {
        $web = Start-AccessListener $origin.Address -Name web
        Set-AccessListener web -PassThru -WarningAction SilentlyContinue -WarningVariable warned | Should -Be $web
        "$warned" | Should -BeLike "*could be changed in 'web'*"
        Get-ProxyEvent web -Kind Reconfigured | Should -BeNullOrEmpty
    }

    It 'completes the names of running listeners of its kind' {
        $null = Start-AccessListener $origin.Address -Name web
        $null = Start-ProxyServer -Name gate
        (TabExpansion2 'Set-AccessListener ' 19).CompletionMatches.CompletionText | Should -Be web
        (TabExpansion2 'Set-ProxyServer -Name ' 22).CompletionMatches.CompletionText | Should -Be gate
        (TabExpansion2 'Start-ProxyServer -AllowSource 10' 33).CompletionMatches.CompletionText | Should -Be 10.0.0.0/8
    }

    It 'changes nothing with -WhatIf, and says what would be' {
        $web = Start-AccessListener $origin.Address -Name web
        Set-AccessListener web -MaxConnections 3 -Chain relay://127.0.0.1:1 -WhatIf -PassThru | Should -BeNullOrEmpty
        $web.Chain.Count | Should -Be 0
        Get-ProxyEvent web -Kind Reconfigured | Should -BeNullOrEmpty
    }

    It 'introduces the client from now on' {
        $taker = [ProxyShellTests.LineTaker]::new()
        $listener = Start-AccessListener $taker.Address
        $listener | Set-AccessListener -SendProxyProtocol V1
        $client = [ProxyShellTests.Download]::new($listener.LocalPort, '/')
        Wait-Until { $taker.Line }
        $taker.Line | Should -BeLike 'PROXY TCP4 127.0.0.1*'
        $client.Dispose(); $taker.Dispose()
    }

    It 'swaps chains under load without a client that notices' {
        $one = Start-ProxyServer; $two = Start-ProxyServer
        $web = Start-AccessListener $origin.Address -Chain $one
        $load = 1..4 | ForEach-Object {
            Start-ThreadJob -ArgumentList $web.LocalPort { param($port) 1..50 | ForEach-Object { (Invoke-WebRequest "http://127.0.0.1:$port/bytes/5000" -NoProxy).Content.Length } }
        }
        foreach ($chain in ($one, $two) * 5) {
            $before = $web.AcceptedConnections
            $web | Set-AccessListener -Chain $chain
            Wait-Until { $web.AcceptedConnections -gt $before + 5 -or -not ($load.State -ne 'Completed') }
        }
        $lengths = $load | Receive-Job -Wait -AutoRemoveJob
        ($lengths | Group-Object | ForEach-Object { "$($_.Count) x $($_.Name)" }) | Should -Be '200 x 5000'
        $web.FailedConnections, $web.RefusedConnections | Should -Be 0, 0
        $one.AcceptedConnections | Should -BeGreaterThan 0
        $two.AcceptedConnections | Should -BeGreaterThan 0
    }
}

Describe 'Set-ProxyServer' {
    AfterEach { Remove-AllProxyJobs }

    It 'renews a key' {
        $old = New-ProxyKey; $new = New-ProxyKey
        $server = Start-ProxyServer -Key $old
        Set-ProxyServer $server -Key $old, $new
        foreach ($key in $old, $new) { (Test-ProxyChain (New-ProxyHop $server.Uri -Key $key)).Status | Should -Be Ok }
        Set-ProxyServer $server -Key $new
        (Test-ProxyChain (New-ProxyHop $server.Uri -Key $old) -ErrorAction Ignore).Status | Should -Be Failed
        (Test-ProxyChain $server).Status | Should -Be Ok -Because 'a hop of the job has the key it goes by now'
        (Get-ProxyEvent -Job $server -Kind Reconfigured).Message | Should -Be 'changed Keys', 'changed Keys'
    }

    It 'changes what destinations are allowed' {
        $server = Start-ProxyServer
        Set-ProxyServer $server -DenyDestination "*:$($origin.Port)"
        (Test-ProxyChain $server -Destination $origin.Address -ErrorAction Ignore).Status | Should -Be Ok, Failed
        Set-ProxyServer $server -DenyDestination $null -AllowDestination 127.0.0.0/8
        (Test-ProxyChain $server -Destination $origin.Address).Status | Should -Be Ok, Ok
        Set-ProxyServer $server -AllowDestination 192.0.2.0/24
        (Test-ProxyChain $server -Destination $origin.Address -ErrorAction Ignore).Status | Should -Be Ok, Failed
        Set-ProxyServer $server -AllowDestination @()
        (Test-ProxyChain $server -Destination $origin.Address).Status | Should -Be Ok, Ok
    }

    It 'exchanges users, payload keys and chains' {
        $next = Start-ProxyServer
        $server = Start-ProxyServer -Protocol Socks5 -Credential $credential
        Set-ProxyServer $server -Credential ([pscredential]::new('you', $credential.Password)) -Chain $next
        (New-ProxyHop $server).Credential.UserName | Should -Be you
        "$($server.Chain)" | Should -Be $next.Uri
        (Test-ProxyChain $server -Destination $origin.Address).Status | Should -Be Ok, Ok
        $next.AcceptedConnections | Should -BeGreaterThan 0
        Set-ProxyServer $next -PayloadKey (New-ProxyKey)
        (Get-ProxyEvent -Job $next -Kind Reconfigured).Message | Should -Be 'changed PayloadKeys'
    }
}

Describe 'what cannot be set' {
    BeforeAll {
        $null = Start-ProxyServer -Name gate
        $null = Start-AccessListener $origin.Address -Name web
        $null = Start-ProxyServer -Name socks -Protocol Socks5 -Credential $credential
        $null = Start-ProxyServer -LocalAddress 0.0.0.0 -Key (New-ProxyKey) -Name open
        $stopped = Start-ProxyServer -Name stopped
        Stop-Job $stopped
    }

    AfterAll { Remove-AllProxyJobs }

    It 'is refused: <Command>' -ForEach @(
        @{ Command = 'Set-ProxyServer gate -Key (New-ProxyKey)'; Id = 'InvalidOption'; Target = 'gate'; Text = '*cannot change -Protocol from*started without -Protocol*' }
        @{ Command = 'Set-ProxyServer gate -Credential $credential'; Id = 'InvalidOption'; Target = 'gate' }
        @{ Command = 'Set-ProxyServer gate -Certificate $certificate'; Id = 'InvalidOption'; Target = 'gate'; Text = '*cannot change TLS from off to on*' }
        @{ Command = 'Set-ProxyServer gate -BandwidthLimit 5 -MaxConnections 7'; Id = 'InvalidOption'; Target = 'gate' }
        @{ Command = 'Set-ProxyServer gate -IdleTimeout 0'; Id = 'InvalidOption'; Target = 'gate' }
        @{ Command = 'Set-ProxyServer gate -ClientCertificateThumbprint $("ab" * 32)'; Id = 'InvalidOption'; Target = 'gate'; Text = '*without a Certificate*' }
        @{ Command = 'Set-ProxyServer socks -Credential $null -AllowAnonymous:$false -Key (New-ProxyKey)'; Id = 'InvalidOption'; Target = 'socks' }
        @{ Command = 'Set-ProxyServer open -Key $null'; Id = 'InvalidOption'; Target = 'open' }
        @{ Command = 'Set-AccessListener web -Credential $credential'; Id = 'InvalidOption'; Target = 'web' }
        @{ Command = 'Set-ProxyServer gate -Key nonsense'; Id = 'InvalidKey'; Target = 'key' }
        @{ Command = 'Set-ProxyServer gate -PayloadKey nonsense'; Id = 'InvalidKey'; Target = 'key' }
        @{ Command = 'Set-ProxyServer gate -DenyDestination 10.0.0.0/99'; Id = 'InvalidDestinationPattern'; Target = '10.0.0.0/99' }
        @{ Command = 'Set-ProxyServer gate -AllowDestination "::::"'; Id = 'InvalidDestinationPattern'; Target = '::::' }
        @{ Command = 'Set-AccessListener web -AllowSource here'; Id = 'InvalidSource'; Target = 'here' }
        @{ Command = 'Set-AccessListener web -Chain nonsense'; Id = 'InvalidChain'; Target = 'nonsense' }
        @{ Command = 'Set-AccessListener web -Chain $null, $null'; Id = 'InvalidChain'; Target = 'nothing > nothing' }
        @{ Command = 'Set-AccessListener web -Rule $null, $null'; Id = 'InvalidRule'; Target = ' ' }
        @{ Command = 'Set-AccessListener web -Chain direct -BlockByDefault'; Id = 'InvalidRule'; Target = 'direct' }
        @{ Command = 'Set-AccessListener web -Certificate ./missing.pfx'; Id = 'InvalidCertificate'; Target = './missing.pfx' }
        @{ Command = 'Set-AccessListener web -ClientCertificateAuthority ./missing.pem'; Id = 'InvalidCertificate'; Target = './missing.pem' }
        @{ Command = 'Set-AccessListener web -ClientCertificateThumbprint ab'; Id = 'InvalidThumbprint'; Target = 'ab' }
        @{ Command = 'Set-AccessListener web -Credential me'; Id = 'InvalidCredential'; Target = 'credential' }
        @{ Command = 'Set-AccessListener nobody -MaxConnections 5'; Id = 'JobNotFound'; Target = 'nobody'; Category = 'ObjectNotFound' }
        @{ Command = 'Set-AccessListener gate -MaxConnections 5'; Id = 'WrongJobType'; Target = 'gate'; Category = 'InvalidType'; Text = '*Set-ProxyServer changes it*' }
        @{ Command = 'Set-ProxyServer web -MaxConnections 5'; Id = 'WrongJobType'; Target = 'web'; Category = 'InvalidType'; Text = '*Set-AccessListener changes it*' }
        @{ Command = 'Set-ProxyServer stopped -MaxConnections 5'; Id = 'JobNotRunning'; Target = 'stopped'; Category = 'InvalidOperation' }
    ) {
        $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=test', [Security.Cryptography.ECDsa]::Create(), 'SHA256')
        $certificate = $request.CreateSelfSigned([DateTimeOffset]::Now.AddDays(-1), [DateTimeOffset]::Now.AddDays(1))
        Invoke-Expression "$Command -PassThru -ErrorAction SilentlyContinue -ErrorVariable problem" | Should -BeNullOrEmpty
        $problem.Count | Should -Be 1
        $problem[0].FullyQualifiedErrorId | Should -BeLike "$Id,*"
        $problem[0].CategoryInfo.Category | Should -Be ($Category ?? 'InvalidArgument')
        $shown = if ($problem[0].TargetObject -is [Management.Automation.Job]) { $problem[0].TargetObject.Name } else { "$($problem[0].TargetObject)" }
        $shown | Should -Be $Target
        if ($Text) { "$($problem[0])" | Should -BeLike $Text }
        Get-ProxyEvent -Kind Reconfigured | Should -BeNullOrEmpty
    }
}
