# TLS of listeners and hops: several certificates, files that change, and certificates of clients.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()

    # A certificate with private key: self-signed, of an authority, or an authority itself.
    function New-TestCertificate([string] $Name, $Issuer, [switch] $Authority) {
        $key = [Security.Cryptography.ECDsa]::Create([Security.Cryptography.ECCurve+NamedCurves]::nistP256)
        $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new("CN=$Name", $key, 'SHA256')
        $names = [Security.Cryptography.X509Certificates.SubjectAlternativeNameBuilder]::new()
        $names.AddDnsName($Name)
        $request.CertificateExtensions.Add($names.Build())
        $request.CertificateExtensions.Add([Security.Cryptography.X509Certificates.X509BasicConstraintsExtension]::new([bool]$Authority, $false, 0, $true))
        $from, $until = [DateTimeOffset]::UtcNow.AddDays(-1), [DateTimeOffset]::UtcNow.AddDays(1)
        if (-not $Issuer) { return $request.CreateSelfSigned($from, $until) }
        $issued = $request.Create($Issuer, $from, $until.AddHours(-1), [byte[]](1..8 | ForEach-Object { Get-Random -Maximum 127 }))
        [Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::CopyWithPrivateKey($issued, $key)
    }

    function Save-Pem($Certificate, [string] $Path) { Set-Content $Path ($Certificate.ExportCertificatePem() + "`n" + [Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPrivateKey($Certificate).ExportPkcs8PrivateKeyPem()) }

    function Get-Pin($Certificate) { $Certificate.GetCertHashString([Security.Cryptography.HashAlgorithmName]::SHA256) }

    $server = New-TestCertificate server.test
    $pin = Get-Pin $server
}

AfterAll { $origin.Dispose() }

Describe 'certificates of a listener' {
    AfterEach { Remove-AllProxyJobs }

    It 'are chosen by the name that a client asks for' {
        $job = Start-ProxyServer -Certificate $server, (New-TestCertificate a.test), (New-TestCertificate b.test)
        [ProxyShellTests.TlsClient]::SubjectAt($job.LocalPort, 'b.test') | Should -Be CN=b.test
        [ProxyShellTests.TlsClient]::SubjectAt($job.LocalPort, 'a.test') | Should -Be CN=a.test
        [ProxyShellTests.TlsClient]::SubjectAt($job.LocalPort, 'other.test') | Should -Be CN=server.test
        (Test-ProxyChain $job -Destination $origin.Address).Status | Should -Be Ok, Ok -Because 'the job pins the certificate for clients that name none'
    }

    It 'follow their file' {
        Push-Location $TestDrive
        try {
            Save-Pem $server ./followed.pem
            $job = Start-ProxyServer -Certificate ./followed.pem
            Save-Pem (New-TestCertificate renewed.test) ./followed.pem
            [ProxyShellTests.TlsClient]::SubjectAt($job.LocalPort, 'renewed.test') | Should -Be CN=renewed.test
            Wait-Until { Get-ProxyEvent $job -Kind Reconfigured }
            (Get-ProxyEvent $job -Kind Reconfigured).Message | Should -BeLike "*$([IO.Path]::GetFileName('followed.pem'))*renewed.test*"
            (Test-ProxyChain $job).Status | Should -Be Ok -Because 'a hop of the job pins the certificate that is shown now'
        }
        finally { Pop-Location }
    }

    It 'serve an access listener, as a proxy and in front of a destination' {
        $forward = Start-AccessListener $origin.Address -Certificate $server
        $body = (Invoke-WebRequest "https://127.0.0.1:$($forward.LocalPort)/bytes/100" -SkipCertificateCheck -NoProxy).Content
        $body.Length | Should -Be 100
        $proxy = Start-AccessListener -Certificate $server
        $proxy.Uri | Should -BeLike 'socks5+tls://127.0.0.1:*'
        foreach ($uri in $proxy.Uri, ($proxy.Uri -replace '^socks5\+tls', 'https')) {
            (Test-ProxyChain (New-ProxyHop $uri -Thumbprint $pin) -Destination $origin.Address).Status | Should -Be Ok, Ok
        }
    }

    It 'are exchanged while it runs' {
        $job = Start-ProxyServer -Certificate $server
        Set-ProxyServer $job -Certificate (New-TestCertificate renewed.test)
        [ProxyShellTests.TlsClient]::SubjectAt($job.LocalPort, 'renewed.test') | Should -Be CN=renewed.test
    }
}

Describe 'certificates of clients' {
    BeforeAll {
        $authority = New-TestCertificate authority.test -Authority
        $client = New-TestCertificate client.test $authority
        $stranger = New-TestCertificate stranger.test
        Set-Content $TestDrive/authority.pem $authority.ExportCertificatePem()
        [IO.File]::WriteAllBytes("$TestDrive/authority.cer", $authority.RawData)
        [IO.File]::WriteAllBytes("$TestDrive/client.pfx", $client.Export('Pkcs12', 'secret'))
        $password = ConvertTo-SecureString secret -AsPlainText -Force
    }

    AfterEach { Remove-AllProxyJobs }

    It 'let in those whom <By> names' -ForEach @(
        @{ By = '-ClientCertificateThumbprint (Get-Pin $client)' }
        @{ By = '-ClientCertificateAuthority $TestDrive/authority.pem' }
        @{ By = '-ClientCertificateAuthority $TestDrive/authority.cer' }
        @{ By = '-ClientCertificateAuthority $authority' }
        @{ By = '-ClientCertificateAuthority $authority -ClientCertificateThumbprint (Get-Pin $client)' }
    ) {
        $job = Invoke-Expression "Start-ProxyServer -LocalAddress 0.0.0.0 -AllowDestination 127.0.0.0/8 -Certificate `$server $By"
        $uri = "relays://127.0.0.1:$($job.LocalPort)"
        $known = New-ProxyHop $uri -Thumbprint $pin -ClientCertificate $TestDrive/client.pfx -ClientCertificatePassword $password
        (Test-ProxyChain (New-ProxyChain (Start-ProxyServer), $known) -Destination $origin.Address).Status | Should -Be Ok, Ok, Ok
        foreach ($hop in (New-ProxyHop $uri -Thumbprint $pin), (New-ProxyHop $uri -Thumbprint $pin -ClientCertificate $stranger)) {
            (Test-ProxyChain $hop -ErrorAction Ignore).Status | Should -Be Failed
        }
        Wait-Until { @(Get-ProxyEvent $job -Kind Refused).Count -ge 1 }
        (Get-ProxyEvent $job -Kind Refused)[0].Reason | Should -Be AuthenticationFailed
    }

    It 'are given to the hops of a chain that use TLS' {
        $chain = New-ProxyChain relay://a:1, relays://b:2, https://c, socks5+tls://d -ClientCertificate $client
        $chain.Hops.ClientCertificate.Subject | Should -Be CN=client.test, CN=client.test, CN=client.test
        $chain.Hops[0].ClientCertificate | Should -BeNullOrEmpty
        ($chain | Add-ProxyHop relays://e:5 -ClientCertificate $stranger).Hops[-1].ClientCertificate.Subject | Should -Be CN=stranger.test
    }

    It 'are asked for, and no longer, while it runs' {
        $job = Start-ProxyServer -Certificate $server
        Set-ProxyServer $job -ClientCertificateThumbprint (Get-Pin $client)
        (Test-ProxyChain $job -ErrorAction Ignore).Status | Should -Be Failed
        Set-ProxyServer $job -ClientCertificateThumbprint $null
        (Test-ProxyChain $job).Status | Should -Be Ok
    }
}

Describe 'a socket file and datagrams' {
    AfterEach { Remove-AllProxyJobs }

    It 'leads from a Unix socket to the destination' -Skip:$IsWindows {
        $path = Join-Path $TestDrive web.sock
        $web = Start-AccessListener $origin.Address -LocalAddress "unix:$path"
        $web.Uri | Should -Be "unix:$path"
        if (Get-Command curl -CommandType Application -ErrorAction Ignore) {
            & curl -sS --max-time 20 --unix-socket $path -o $TestDrive/body http://localhost/bytes/100
            (Get-Item $TestDrive/body).Length | Should -Be 100
        }
        Test-Path $path | Should -BeTrue
        Stop-Job $web
        Test-Path $path | Should -BeFalse
    }

    It 'carries datagrams through relay hops with -Udp, with one that takes them in streams' {
        $echo = [ProxyShellTests.UdpEcho]::new()
        try {
            $key = New-ProxyKey
            $hops = (Start-ProxyServer -Udp), (Start-ProxyServer -Udp -Key $key), (Start-ProxyServer -Udp -Certificate $server)
            foreach ($count in 1..3) {
                $near = Start-AccessListener $echo.Address -Protocol Udp -Chain $hops[0..($count - 1)] -UdpIdleTimeout 30
                [ProxyShellTests.UdpEcho]::Ask($near.LocalPort, "through $count", 5000) | Should -Be "through $count"
            }
        }
        finally { $echo.Dispose() }
    }

    It 'says which hop takes no datagrams' {
        $hop = Start-ProxyServer
        $near = Start-AccessListener 127.0.0.1:9 -Protocol Udp -Chain $hop
        $null = [ProxyShellTests.UdpEcho]::Ask($near.LocalPort, 'lost', 1)
        Wait-Until { Get-ProxyEvent $near -Kind Failed }
        $event = Get-ProxyEvent $near -Kind Failed
        "$($event.Reason): $($event.Message)" | Should -BeLike "*hop 1 (127.0.0.1:$($hop.LocalPort))*"
    }
}
