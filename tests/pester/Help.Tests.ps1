# Help as PowerShell shows it, and as the sources of the help say it.

BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    $cmdlets = Get-Command -Module ProxyShell | ForEach-Object { @{ Name = $_.Name } }
}

BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'help of <Name>' -ForEach $cmdlets {
    BeforeAll { $help = Get-Help $Name -Full }

    It 'is found, with text of its own' {
        $help.Synopsis | Should -Not -Match "^\s*$Name"
        $help.description.Text | Should -Not -BeNullOrEmpty
    }

    It 'has examples that parse and use parameters that exist' {
        @($help.examples.example).Count | Should -BeGreaterOrEqual 2
        foreach ($code in $help.examples.example.code) {
            $faults = $null
            $tree = [Management.Automation.Language.Parser]::ParseInput($code, [ref]$null, [ref]$faults)
            $faults | Should -BeNullOrEmpty -Because $code
            foreach ($use in $tree.FindAll({ $args[0] -is [Management.Automation.Language.CommandAst] }, $true)) {
                $command = Get-Command $use.GetCommandName() -ErrorAction Ignore
                if ($command.ModuleName -ne 'ProxyShell') { continue }
                foreach ($parameter in $use.CommandElements | Where-Object { $_ -is [Management.Automation.Language.CommandParameterAst] }) {
                    $command.Parameters.Keys | Should -Contain $parameter.ParameterName -Because $code
                }
            }
        }
    }
}

# Each example is run on this machine alone: hosts are this one, ports any free one, and foreign commands do nothing.
Describe 'the examples' {
    BeforeDiscovery {
        $examples = foreach ($command in Get-Command -Module ProxyShell) {
            foreach ($example in (Get-Help $command -Full).examples.example) { @{ Name = $command.Name; Title = $example.title -replace '^Example: '; Code = $example.code } }
        }
    }

    BeforeAll {
        function Get-Secret($Name) { ConvertTo-SecureString $key.Reveal() -AsPlainText -Force }
        function Get-Credential($UserName) { [pscredential]::new($UserName ?? 'me', (ConvertTo-SecureString secret -AsPlainText -Force)) }
        function Read-Host([switch] $AsSecureString) { ConvertTo-SecureString secret -AsPlainText -Force }
        foreach ($foreign in 'Set-Secret', 'Send-Alert', 'curl', 'dig', 'git', 'npm', 'Invoke-WebRequest', 'Invoke-RestMethod') { Set-Item "function:$foreign" { } }

        $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=test', [Security.Cryptography.ECDsa]::Create(), 'SHA256')
        $certificate = $request.CreateSelfSigned([DateTimeOffset]::Now.AddDays(-1), [DateTimeOffset]::Now.AddDays(1))
        $configFolder = $env:XDG_CONFIG_HOME
        $env:XDG_CONFIG_HOME = "$TestDrive/config"
        Push-Location $TestDrive
        $identityFile = (New-TunnelIdentity ./services.pem).Path
        foreach ($name in 'me.pfx', 'server.pfx') { [IO.File]::WriteAllBytes("$TestDrive/$name", $certificate.Export('Pkcs12', 'secret')) }
        $pem = $certificate.ExportCertificatePem() + "`n" + [Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPrivateKey($certificate).ExportPkcs8PrivateKeyPem()
        foreach ($name in 'a.example.pem', 'b.example.pem', 'clients-ca.pem') { Set-Content $name $pem }
        Set-Content hops.csv 'Uri,Group,Weight', 'relay://localhost:1,a,1', 'relay://localhost:2,a,2'
        Set-Content limits.csv 'Name,MaxConnections', 'web,50'
        Set-Content forwards.csv 'Destination,LocalPort', 'localhost:1,0'
        Set-Content services.csv 'Destination,SessionName', 'http://localhost:1,one', 'tcp://localhost:2,two'
        Set-Content blocked.txt '*.blocked.test', '192.0.2.0/24'
        $key, $old, $innerKey = 1..3 | ForEach-Object { New-ProxyKey }
        $office, $datacentre, $chain = 'relay://localhost:1', 'socks5://localhost:2', 'relay://localhost:3' | ForEach-Object { New-ProxyChain $_ }
    }

    BeforeEach {
        $p1, $p2, $p3, $server = 1..4 | ForEach-Object { Start-ProxyServer }
        $null = Start-ProxyServer -Name gate -Key $old
        $web = Start-AccessListener localhost:1 -Name web
        $null = Start-AccessListener -Name proxy
        $null = New-StripedPipe localhost:1 -Name backup
        # a gateway that takes whatever the examples give it
        $gateway = Start-TunnelGateway -HttpPort 0 -TcpPortRange 30000-30999 -Name gateway
        $blog = Register-Tunnel $gateway http://localhost:1 -HostName blog -IdentityFile $identityFile
        Remove-Item ./agent.pem -ErrorAction Ignore
    }

    AfterEach {
        Get-EventSubscriber | Unregister-Event
        Remove-AllProxyJobs
        Get-Job | Remove-Job -Force
    }

    AfterAll {
        Pop-Location
        $env:XDG_CONFIG_HOME = $configFolder
    }

    It 'of <Name> runs: <Title>' -ForEach $examples {
        $here = $Code -replace '(?<![*\w.-]|\./)(?:[\w-]+\.)+(?:example|internal)(?![\w.])', 'localhost' -replace '10\.20\.0\.53', '127.0.0.1' -replace '5E:1A:\.\.\.:9C', ('ab' * 32) `
            -replace '-(Local|Control|Http|Https)Port \d+', '-$1Port 0' -replace '(:53|:5432) \d+', '$1 0' -replace "-LocalAddress ('\*'|[\d.]+)", '-LocalAddress 127.0.0.1'
        $problems = & { try { . ([scriptblock]::Create($here)) } catch { $_ } } 2>&1 | Where-Object { $_ -is [Management.Automation.ErrorRecord] }
        # that nobody is there to be reached is no fault of the example
        $problems | Where-Object FullyQualifiedErrorId -NotMatch '^(ConnectionRefused|ConnectionNotFound|SessionNotFound),' | Should -BeNullOrEmpty -Because $here
    }
}

Describe 'the help files' {
    It 'are what the pages say' {
        $made = Join-Path $TestDrive help.xml
        & "$PSScriptRoot/../../src/ProxyShell/Help/Build-Help.ps1" -Module $modulePath -OutFile $made
        Get-Content $made -Raw | Should -Be (Get-Content "$PSScriptRoot/../../en-US/ProxyShell.dll-Help.xml" -Raw) -Because 'after a change of a page or a cmdlet, src/ProxyShell/Help/Build-Help.ps1 makes the help anew'
    }

    It 'have the topic' { Get-Help about_ProxyShell | Out-String | Should -Match 'QUICK START' }
}
