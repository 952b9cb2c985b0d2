# Tunnels: gateways, agents, names, records, and how both sides live and leave.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $configFolder = $env:XDG_CONFIG_HOME
    $env:XDG_CONFIG_HOME = "$TestDrive/config"
    $origin = [ProxyShellTests.Origin]::new()
    $service = "http://$($origin.Address)"
    $keys = 1..4 | ForEach-Object { New-TunnelIdentity "$TestDrive/key$_.pem" }
    $quick = @{ FirstRetry = 0.1; MaxRetry = 0.2; RefusedRetry = 0.2 }

    # What the public gets for a host name at a gateway: status, reason and body's length.
    function Get-Public($Gateway, [string] $HostName, [string] $Path = '/bytes/1000', [hashtable] $With = @{}) {
        $answer = Invoke-WebRequest "http://127.0.0.1:$($Gateway.HttpPort)$Path" -Headers @{ Host = $HostName } -SkipHttpErrorCheck -DisableKeepAlive @With
        [pscustomobject]@{ Status = $answer.StatusCode; Reason = "$($answer.Headers['ProxyShell-Reason'])"; Length = $answer.RawContentLength; Text = "$($answer.Content)"; Headers = $answer.Headers }
    }

    # The error of a registration that is refused.
    function Get-Refusal([hashtable] $With) {
        try { $job = Register-Tunnel @With } catch { return $_ }
        throw "not refused: $($job.Url)"
    }

    # A gateway at ports below those that systems give to outgoing connections, so that it can come back to them.
    function Start-ReturningGateway([hashtable] $With = @{}, [int] $ControlPort, [int] $HttpPort) {
        foreach ($try in 1..100) {
            $control = if ($ControlPort) { $ControlPort } else { Get-Random -Minimum 10000 -Maximum 20000 }
            $http = if ($HttpPort) { $HttpPort } else { Get-Random -Minimum 20000 -Maximum 29000 }
            $gateway = Start-TunnelGateway $control $http -ErrorAction SilentlyContinue -ErrorVariable problem @With
            if ($gateway) { return $gateway }
            $problem[0].FullyQualifiedErrorId | Should -BeLike 'AddressInUse,*'
            [Threading.Thread]::Sleep(50)
        }
        throw 'the ports stay in use'
    }
}

AfterAll {
    $env:XDG_CONFIG_HOME = $configFolder
    $origin.Dispose()
}

Describe 'New-TunnelIdentity' {
    It 'makes a key that nobody else can read, and shows no more than its thumbprint' {
        $made = New-TunnelIdentity "$TestDrive/new.pem"
        $made.Path | Should -Be (Join-Path $TestDrive new.pem)
        $made.Thumbprint | Should -Match '^[a-z2-7]{52}$'
        $made.HostLabel | Should -Be $made.Thumbprint
        "$made" | Should -Be $made.Thumbprint
        Get-Content $made.Path -Raw | Should -BeLike '-----BEGIN PRIVATE KEY-----*'
        if (-not $IsWindows) { [IO.File]::GetUnixFileMode($made.Path) | Should -Be 'UserWrite, UserRead' }
        $body = (Get-Content $made.Path)[1]
        (Show-Everything $made) -join "`n" | Should -Not -BeLike "*$body*"
    }

    It 'replaces a key only when told to, and makes nothing for -WhatIf' {
        $path = "$TestDrive/replaced.pem"
        New-TunnelIdentity $path -WhatIf | Should -BeNullOrEmpty
        Test-Path $path | Should -BeFalse
        $first = New-TunnelIdentity $path
        New-TunnelIdentity $path -ErrorAction SilentlyContinue -ErrorVariable problem | Should -BeNullOrEmpty
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'IdentityExists,*'
        $problem[0].ErrorDetails.RecommendedAction | Should -BeLike '*-Force*'
        (New-TunnelIdentity $path -Force).Thumbprint | Should -Not -Be $first.Thumbprint
        @(Get-ChildItem $TestDrive -Filter 'replaced*').Count | Should -Be 1
    }
}

Describe 'a tunnel' {
    BeforeEach { $gateway = Start-TunnelGateway -HttpPort 0 -TcpPortRange 31000-31999 -Name gate }
    AfterEach { Remove-AllProxyJobs }

    It 'leads the public to a web server by its host name' {
        $tunnel = Register-Tunnel $gateway $service blog -IdentityFile $keys[0].Path
        $tunnel | Should -BeOfType ProxyShell.Jobs.TunnelJob
        $tunnel.State | Should -Be Running
        $tunnel.StatusMessage | Should -Be connected
        $tunnel.Url | Should -Be "http://blog.localhost:$($gateway.HttpPort)"
        $tunnel.HostName | Should -Be blog.localhost
        "$($tunnel.RemoteEndpoint)" | Should -Be "blog.localhost:$($gateway.HttpPort)"
        $tunnel.Thumbprint | Should -Be $keys[0].Thumbprint
        $tunnel.Location | Should -Be $tunnel.Url
        $tunnel.PSJobTypeName | Should -Be Tunnel
        $gateway.Uri | Should -Be "tunnel://127.0.0.1:$($gateway.ControlPort)"
        $page = Get-Public $gateway blog.localhost
        $page.Status, $page.Length | Should -Be 200, 1000
        $origin.LastPath | Should -Be /bytes/1000
        Wait-Until { $tunnel.BytesReceived -gt 1000 }
        $tunnel.AcceptedConnections | Should -Be 1
        (Get-Public $gateway other.localhost).Reason | Should -Be unknown-host
    }

    It 'has the name of its key when it asks for none, and another for each session name' {
        $own = Register-Tunnel $gateway $service -IdentityFile $keys[0].Path
        $own.HostName | Should -Be "$($keys[0].HostLabel).localhost"
        $named = Register-Tunnel $gateway $service -IdentityFile $keys[0].Path -SessionName second
        $named.HostName | Should -Match '^[a-z2-7]{52}\.localhost$'
        $named.HostName | Should -Not -Be $own.HostName
        (Get-Public $gateway $named.HostName).Status | Should -Be 200
    }

    It 'makes a key of the user''s own, once' {
        $first = Register-Tunnel $gateway $service
        $file = Join-Path $env:XDG_CONFIG_HOME proxyshell tunnel.pem
        if ($IsLinux) { [IO.File]::GetUnixFileMode($file) | Should -Be 'UserWrite, UserRead' }
        $second = Register-Tunnel $gateway $service -SessionName second
        $second.Thumbprint | Should -Be $first.Thumbprint
    }

    It 'gives a port of the gateway to a TCP service' {
        $tunnel = Register-Tunnel $gateway "tcp://$($origin.Address)" -IdentityFile $keys[0].Path
        $tunnel.HostName | Should -BeNullOrEmpty
        $tunnel.RemoteEndpoint.Port | Should -BeIn (31000..31999)
        $tunnel.Url | Should -Be "tcp://localhost:$($tunnel.RemoteEndpoint.Port)"
        (Invoke-WebRequest "http://127.0.0.1:$($tunnel.RemoteEndpoint.Port)/bytes/1000").RawContentLength | Should -Be 1000
        $asked = Register-Tunnel $gateway "tcp://$($origin.Address)" -RemotePort 31500 -IdentityFile $keys[1].Path
        $asked.RemoteEndpoint.Port | Should -Be 31500
        $refusal = Get-Refusal @{ Gateway = $gateway; Destination = "tcp://$($origin.Address)"; RemotePort = 31500; IdentityFile = $keys[2].Path }
        $refusal.FullyQualifiedErrorId | Should -Be 'Forbidden,ProxyShell.Commands.RegisterTunnelCommand'
    }

    It 'carries datagrams to a UDP service' {
        $udp = Start-TunnelGateway -UdpPortRange 32000-32999
        $echo = [ProxyShellTests.UdpEcho]::new()
        try {
            $tunnel = Register-Tunnel $udp "udp://$($echo.Address)" -IdentityFile $keys[0].Path
            $tunnel.Url | Should -BeLike 'udp://localhost:32*'
            [ProxyShellTests.UdpEcho]::Ask($tunnel.RemoteEndpoint.Port, 'hello', 5000) | Should -Be hello
        }
        finally { $echo.Dispose() }
    }

    It 'goes through a chain, over TLS, in a WebSocket' {
        $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=gate', [Security.Cryptography.ECDsa]::Create(), 'SHA256')
        $certificate = $request.CreateSelfSigned([DateTimeOffset]::Now.AddDays(-1), [DateTimeOffset]::Now.AddDays(1))
        $secure = Start-TunnelGateway -HttpPort 0 -Certificate $certificate
        $secure.Uri | Should -BeLike 'tunnels://*'
        $proxy = Start-ProxyServer -Protocol Http
        $pin = $certificate.GetCertHashString('SHA256')
        $tunnel = Register-Tunnel "wss://127.0.0.1:$($secure.ControlPort)/tunnel" $service far -IdentityFile $keys[0].Path -Chain $proxy -Thumbprint $pin
        (Get-Public $secure far.localhost).Status | Should -Be 200
        $proxy.ActiveConnections | Should -Be 1
        # the job of a gateway brings its certificate along
        (Register-Tunnel $secure $service near -IdentityFile $keys[0].Path).StatusMessage | Should -Be connected
        $refusal = Get-Refusal @{ Gateway = $secure.Uri; Destination = $service; IdentityFile = $keys[0].Path }
        $refusal.FullyQualifiedErrorId | Should -BeLike 'TlsFailed,*'
        $refusal.CategoryInfo.Category | Should -Be SecurityError
    }

    It 'shows its connections, which can be ended' {
        $tunnel = Register-Tunnel $gateway $service blog -IdentityFile $keys[0].Path -Name published
        $client = [Net.Sockets.TcpClient]::new('127.0.0.1', $gateway.HttpPort)
        try {
            $client.GetStream().Write([Text.Encoding]::ASCII.GetBytes("GET /endless HTTP/1.1`r`nHost: blog.localhost`r`n`r`n"))
            Wait-Until { (Get-ProxyConnection published).BytesReceived -gt 10000 }
            $visitor = Get-ProxyConnection published
            $visitor.Destination | Should -Be $origin.Address
            $local = "127.0.0.1:$($client.Client.LocalEndPoint.Port)"
            $visitor.Client | Should -Be $local
            (Get-ProxyConnection gate).Client | Should -Contain $local
            $visitor | Stop-ProxyConnection
            Wait-Until { -not (Get-ProxyConnection published) }
            (Get-ProxyEvent published -Kind Failed).Reason | Should -Be Aborted
        }
        finally { $client.Dispose() }
    }

    It 'asks for user and password, and keeps to its limits' {
        $team = [pscredential]::new('team', (ConvertTo-SecureString hunter2 -AsPlainText -Force))
        $null = Register-Tunnel $gateway $service guarded -IdentityFile $keys[0].Path -Credential $team -MaxRequestBody 10
        (Get-Public $gateway guarded.localhost).Status | Should -Be 401
        (Get-Public $gateway guarded.localhost -With @{ Credential = $team; AllowUnencryptedAuthentication = $true; Authentication = 'Basic' }).Status | Should -Be 200
        (Get-Public $gateway guarded.localhost -With @{ Credential = $team; AllowUnencryptedAuthentication = $true; Authentication = 'Basic'; Method = 'Post'; Body = 'x' * 11 }).Reason | Should -Be body-too-large
        $null = Register-Tunnel $gateway $service slow -IdentityFile $keys[0].Path -RequestRate 0.01
        (Get-Public $gateway slow.localhost).Status | Should -Be 200
        $second = Get-Public $gateway slow.localhost
        $second.Status, $second.Reason | Should -Be 429, too-many-requests
        (Show-Everything (Get-Job)) -join '' | Should -Not -BeLike '*hunter2*'
    }

    It 'says that its service is down' {
        $null = Register-Tunnel $gateway "http://127.0.0.1:$(Get-ClosedPort)" down -IdentityFile $keys[0].Path
        $answer = Get-Public $gateway down.localhost
        $answer.Status, $answer.Reason | Should -Be 502, service-down
    }

    It 'is one of several of a file' {
        Set-Content "$TestDrive/services.csv" 'Destination,HostName,SessionName,RemotePort', "$service,one,,", "$service,,two,", "tcp://$($origin.Address),,,31777"
        $tunnels = Import-Csv "$TestDrive/services.csv" | Register-Tunnel -Gateway $gateway -IdentityFile $keys[0].Path
        $tunnels.Count | Should -Be 3
        $tunnels[0].HostName | Should -Be one.localhost
        $tunnels[2].RemoteEndpoint.Port | Should -Be 31777
        @(Get-Tunnel).Count | Should -Be 3
    }

    It 'registers nothing for -WhatIf' {
        Register-Tunnel $gateway $service blog -IdentityFile $keys[0].Path -WhatIf | Should -BeNullOrEmpty
        Start-TunnelGateway -WhatIf | Should -BeNullOrEmpty
        Get-Tunnel | Should -BeNullOrEmpty
        @(Get-Job).Count | Should -Be 1
    }
}

Describe 'names' {
    AfterEach { Remove-AllProxyJobs }

    It 'belong to the key that asked first, also after it has left' {
        $gateway = Start-TunnelGateway -HttpPort 0
        Register-Tunnel $gateway $service blog -IdentityFile $keys[0].Path | Unregister-Tunnel
        $before = @(Get-Job).Count
        $refusal = Get-Refusal @{ Gateway = $gateway.Uri; Destination = $service; HostName = 'blog'; IdentityFile = $keys[1].Path }
        $refusal.FullyQualifiedErrorId | Should -Be 'Forbidden,ProxyShell.Commands.RegisterTunnelCommand'
        $refusal.CategoryInfo.Category | Should -Be PermissionDenied
        $refusal.TargetObject | Should -Be $gateway.Uri
        "$refusal" | Should -BeLike "gateway $($gateway.Uri): *blog*"
        $refusal.ErrorDetails.RecommendedAction | Should -BeLike '*-HostName*'
        @(Get-Job).Count | Should -Be $before -Because 'a refusal leaves no job'
        (Register-Tunnel $gateway $service blog -IdentityFile $keys[0].Path).HostName | Should -Be blog.localhost
    }

    It 'of a pool of three serve three, refuse the fourth, and serve it after one has left' {
        $gateway = Start-TunnelGateway -HttpPort 0 -HostNamePool demo1, demo2, demo3
        $three = $keys[0..2] | ForEach-Object { Register-Tunnel $gateway $service -IdentityFile $_.Path }
        $three.HostName | Sort-Object | Should -Be demo1.localhost, demo2.localhost, demo3.localhost
        $refusal = Get-Refusal @{ Gateway = $gateway; Destination = $service; IdentityFile = $keys[3].Path }
        $refusal.FullyQualifiedErrorId | Should -BeLike 'LimitExceeded,*'
        $refusal.CategoryInfo.Category | Should -Be LimitsExceeded
        "$refusal" | Should -BeLike "*all 3 names of the gateway's pool are in use"
        $three[1] | Unregister-Tunnel
        (Register-Tunnel $gateway $service -IdentityFile $keys[3].Path).HostName | Should -Be $three[1].HostName
    }

    It 'of one key with several agents share the requests' {
        $gateway = Start-TunnelGateway -HttpPort 0
        $two = 1..2 | ForEach-Object { Register-Tunnel $gateway $service blog -IdentityFile $keys[0].Path }
        @(Get-Tunnel -Name blog).Count | Should -Be 2
        $two[0] | Unregister-Tunnel
        (Get-Public $gateway blog.localhost).Status | Should -Be 200
    }

    It 'outlive the gateway with a state file' {
        $state = @{ StateFile = "$TestDrive/state.json" }
        $gateway = Start-TunnelGateway -HttpPort 0 @state
        $null = Register-Tunnel $gateway $service kept -IdentityFile $keys[0].Path
        Get-Job | Stop-Job
        $again = Start-TunnelGateway -HttpPort 0 @state
        (Get-Refusal @{ Gateway = $again; Destination = $service; HostName = 'kept'; IdentityFile = $keys[1].Path }).FullyQualifiedErrorId | Should -BeLike 'Forbidden,*'
    }
}

Describe 'who may register' {
    AfterEach { Remove-AllProxyJobs }

    It 'is told by keys' {
        $gateway = Start-TunnelGateway -HttpPort 0 -AuthorizedKey $keys[0]
        (Register-Tunnel $gateway $service -IdentityFile $keys[0].Path).StatusMessage | Should -Be connected
        $refusal = Get-Refusal @{ Gateway = $gateway; Destination = $service; IdentityFile = $keys[1].Path }
        $refusal.FullyQualifiedErrorId | Should -BeLike 'AuthenticationFailed,*'
        $refusal.CategoryInfo.Category | Should -Be AuthenticationError
        $refusal.ErrorDetails.RecommendedAction | Should -BeLike '*-AuthorizedKey*'
    }

    It 'is told by a file of keys, which may change' {
        Set-Content "$TestDrive/keys.txt" "$($keys[0].Thumbprint) north"
        $gateway = Start-TunnelGateway -HttpPort 0 -AuthorizedKeysFile "$TestDrive/keys.txt"
        (Get-Refusal @{ Gateway = $gateway; Destination = $service; IdentityFile = $keys[1].Path }).FullyQualifiedErrorId | Should -BeLike 'AuthenticationFailed,*'
        Set-Content "$TestDrive/keys.txt" "$($keys[0].Thumbprint) north", "$($keys[1].Thumbprint) south"
        (Register-Tunnel $gateway $service -IdentityFile $keys[1].Path).StatusMessage | Should -Be connected
    }

    It 'is told by a token, which is never shown' {
        $gateway = Start-TunnelGateway -HttpPort 0 -Token hunter2
        $secret = ConvertTo-SecureString hunter2 -AsPlainText -Force
        $tunnel = Register-Tunnel $gateway $service -IdentityFile $keys[0].Path -Token $secret
        $tunnel.StatusMessage | Should -Be connected
        $problems = @(
            Get-Refusal @{ Gateway = $gateway; Destination = $service; IdentityFile = $keys[0].Path }
            Get-Refusal @{ Gateway = $gateway; Destination = $service; IdentityFile = $keys[0].Path; Token = 'wrong' }
        )
        $problems.FullyQualifiedErrorId | Should -Be ('AuthenticationFailed,ProxyShell.Commands.RegisterTunnelCommand', 'AuthenticationFailed,ProxyShell.Commands.RegisterTunnelCommand')
        foreach ($thing in $gateway, $tunnel, (Get-ProxyEvent), (Get-Tunnel)) { (Show-Everything $thing) -join "`n" | Should -Not -BeLike '*hunter2*' }
    }

    It 'is not anybody where others can reach the gateway' {
        Start-TunnelGateway -LocalAddress 0.0.0.0 -ErrorAction SilentlyContinue -ErrorVariable problem | Should -BeNullOrEmpty
        "$problem" | Should -BeLike '*-AuthorizedKey or a Token*AllowAnonymous*'
        (Start-TunnelGateway -LocalAddress 0.0.0.0 -AllowAnonymous).State | Should -Be Running
        (Start-TunnelGateway -LocalAddress 0.0.0.0 -Token hunter2).State | Should -Be Running
    }
}

Describe 'the life of a tunnel' {
    AfterEach { Remove-AllProxyJobs }

    It 'goes on when the gateway has gone and come back, with the same name' {
        $gateway = Start-ReturningGateway
        $tunnel = Register-Tunnel $gateway.Uri $service blog -IdentityFile $keys[0].Path @quick
        $gateway.StopJob($true, 'away')
        Wait-Until { $tunnel.StatusMessage -like 'reconnecting in * s: gateway tunnel://*connection refused' }
        $tunnel.State | Should -Be Running
        $tunnel.Connection | Should -BeIn Connecting, Reconnecting
        $tunnel.LastError.Reason | Should -Be ConnectionRefused
        $again = Start-ReturningGateway -ControlPort $gateway.ControlPort -HttpPort $gateway.HttpPort
        Wait-Until { $tunnel.StatusMessage -eq 'connected' }
        $tunnel.Registrations | Should -Be 2
        $tunnel.HostName | Should -Be blog.localhost
        (Get-Public $again blog.localhost).Status | Should -Be 200
        (Get-ProxyEvent $tunnel -Kind Started).Count | Should -Be 2
        (Get-ProxyEvent $tunnel -Kind Warning)[0].Message | Should -BeLike '*reconnecting in*'
    }

    It 'does not begin where there is no gateway, unless it may keep trying' {
        $nobody = "tunnel://127.0.0.1:$(Get-ClosedPort)"
        $refusal = Get-Refusal @{ Gateway = $nobody; Destination = $service; IdentityFile = $keys[0].Path }
        $refusal.FullyQualifiedErrorId | Should -BeLike 'ConnectionRefused,*'
        $refusal.CategoryInfo.Category | Should -Be ConnectionError
        $refusal.TargetObject | Should -Be $nobody
        Get-Job | Should -BeNullOrEmpty
        $tunnel = Register-Tunnel $nobody $service -IdentityFile $keys[0].Path -KeepTrying -WarningVariable warning -WarningAction SilentlyContinue
        "$warning" | Should -BeLike '*is not registered yet: *connection refused'
        $tunnel.State | Should -Be Running
        $tunnel.Url | Should -BeNullOrEmpty
        $tunnel.RemoteEndpoint | Should -BeNullOrEmpty
        $tunnel.Location | Should -Be $nobody
        Stop-Job $tunnel
        $tunnel.State | Should -Be Stopped
    }

    It 'is ended by Ctrl+C while it registers' {
        $deaf = [Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
        $deaf.Start()
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript("Import-Module '$modulePath'; 'ready'; Register-Tunnel tunnel://$($deaf.LocalEndpoint) $service -IdentityFile '$($keys[0].Path)'")
            $output = [Management.Automation.PSDataCollection[psobject]]::new()
            $running = $shell.BeginInvoke([Management.Automation.PSDataCollection[psobject]]::new(), $output)
            Wait-Until { $deaf.Pending() }
            (Measure-Command { $shell.Stop() }).TotalSeconds | Should -BeLessThan 5
            $output | Should -Be ready
        }
        finally {
            $shell.Dispose()
            $deaf.Stop()
        }
    }

    It 'lets requests under way finish when it is <How>' -ForEach @(
        @{ How = 'stopped'; Stop = { param($job) $job.StopJobAsync() }; Begun = { param($port) (Get-Tunnel).IsDraining } }
        @{ How = 'stopped at the gateway'; Stop = { param($job, $gateway) $gateway.StopJobAsync() }; Begun = { param($port) -not (Test-Listening $port) } }
    ) {
        $gateway = Start-TunnelGateway -HttpPort 0 -TcpPortRange 31000-31999 -StopTimeout 20
        $tunnel = Register-Tunnel $gateway "tcp://$($origin.Address)" -IdentityFile $keys[0].Path -StopTimeout 20 @quick
        $port = $tunnel.RemoteEndpoint.Port
        $download = [ProxyShellTests.Download]::new($port, '/endless')
        Wait-Until { $download.Bytes -gt 1MB }
        & $Stop $tunnel $gateway
        Wait-Until { & $Begun $port }
        $before = $download.Bytes
        Wait-Until { $download.Bytes -gt $before + 1MB }
        $download.IsEnded | Should -BeFalse
        $download.Dispose()
        $stopping = if ($How -eq 'stopped') { $tunnel } else { $gateway }
        (Wait-Job $stopping -Timeout 10).State | Should -Be Stopped
    }

    It 'cuts requests off after the stop time-out' {
        $gateway = Start-TunnelGateway -HttpPort 0 -TcpPortRange 31000-31999
        $tunnel = Register-Tunnel $gateway "tcp://$($origin.Address)" -IdentityFile $keys[0].Path -StopTimeout 0.5
        $download = [ProxyShellTests.Download]::new($tunnel.RemoteEndpoint.Port, '/endless')
        try {
            Wait-Until { $download.Bytes -gt 1MB }
            $time = (Measure-Command { Stop-Job $tunnel }).TotalSeconds
            $time | Should -BeGreaterThan 0.3
            $time | Should -BeLessThan 5
            Wait-Until { $download.IsEnded }
        }
        finally { $download.Dispose() }
    }

    It 'ends with Unregister-Tunnel, which takes jobs, names and wildcards, and removes them' {
        $gateway = Start-TunnelGateway -HttpPort 0 -Name gate
        $byJob, $byName, $byStar = 'a', 'b', 'c' | ForEach-Object { Register-Tunnel $gateway $service $_ -IdentityFile $keys[0].Path -Name "tunnel-$_" }
        $byJob | Unregister-Tunnel -WhatIf
        $byJob.State | Should -Be Running
        $byJob | Unregister-Tunnel
        (Get-Public $gateway a.localhost).Reason | Should -Be unknown-host
        Unregister-Tunnel tunnel-b -Force
        Unregister-Tunnel *
        $byStar.State | Should -Be Stopped
        Get-Tunnel | Should -BeNullOrEmpty
        Get-Job | Should -Be $gateway -Because 'a wildcard means tunnels only'
    }

    It 'contracts like any job: found, waited for, removed, disposed' {
        $gateway = Start-TunnelGateway -HttpPort 0
        $tunnel = Register-Tunnel $gateway $service -IdentityFile $keys[0].Path -Name findme
        (Get-Job -Id $tunnel.Id) | Should -Be $tunnel
        (Get-Job -Name find*) | Should -Be $tunnel
        (Get-Job -Command 'Register-Tunnel*') | Should -Be $tunnel
        Wait-Job $tunnel -Timeout 0.2 | Should -BeNullOrEmpty
        Receive-Job $tunnel | Should -BeNullOrEmpty
        { $tunnel.SuspendJob() } | Should -Throw '*cannot be suspended*'
        Remove-Job $tunnel -Force
        Get-Job -Name findme -ErrorAction Ignore | Should -BeNullOrEmpty
        Wait-Until { -not (Get-Tunnel) }
        $other = Register-Tunnel $gateway $service -IdentityFile $keys[0].Path
        $other.Dispose()
        $other.State | Should -Be Stopped
        $other.Thumbprint | Should -Be $keys[0].Thumbprint -Because 'it can still be read'
    }

    It 'ends with its session' {
        $gateway = Start-TunnelGateway -HttpPort 0
        $other = [runspacefactory]::CreateRunspace([initialsessionstate]::CreateDefault2())
        $other.Open()
        $shell = [powershell]::Create($other)
        $job = $shell.AddScript("param(`$module, `$gateway) Import-Module `$module; Register-Tunnel `$gateway $service -IdentityFile '$($keys[0].Path)'").AddArgument($modulePath).AddArgument($gateway.Uri).Invoke()[0]
        $shell.Dispose()
        @(Get-Tunnel).Count | Should -Be 1
        $other.Dispose()
        $job.JobStateInfo.State | Should -Be Stopped
        Wait-Until { -not (Get-Tunnel) }
    }
}

Describe 'what the gateway tells' {
    BeforeEach {
        $gateway = Start-TunnelGateway -HttpPort 0 -TcpPortRange 31000-31999 -Name gate
        $tunnel = Register-Tunnel $gateway $service blog -IdentityFile $keys[0].Path
    }

    AfterEach { Remove-AllProxyJobs }

    It 'is who is there' {
        $null = Get-Public $gateway blog.localhost
        $found = Get-Tunnel
        $found | Should -BeOfType ProxyShell.Engine.Tunnels.TunnelInfo
        $found.Gateway | Should -Be gate
        $found.Name | Should -Be blog.localhost
        $found.Kind | Should -Be Http
        $found.Url | Should -Be $tunnel.Url
        $found.Agent | Should -Match '^127\.0\.0\.1:\d+$'
        $found.Thumbprint | Should -Be $keys[0].Thumbprint
        $found.Destination | Should -Be $service
        $found.TotalConnections | Should -Be 1
        $found.BytesReceived | Should -BeGreaterThan 1000
        $gateway.ActiveTunnels | Should -Be 1
        $gateway.StatusMessage | Should -BeLike '*, 1 tunnel registered'
        (Get-Tunnel gate -Name blog.localhost).Url | Should -Be $tunnel.Url
        ($gateway | Get-Tunnel -Name b*).Url | Should -Be $tunnel.Url
        Get-Tunnel -Name x* | Should -BeNullOrEmpty
        Get-Tunnel $tunnel | Should -BeNullOrEmpty -Because 'only gateways have tunnels'
    }

    It 'ends a tunnel, which does not come back at once' {
        Stop-Tunnel blog -WhatIf
        @(Get-Tunnel).Count | Should -Be 1
        Get-Tunnel | Stop-Tunnel
        Wait-Until { -not (Get-Tunnel) }
        Wait-Until { $tunnel.StatusMessage -like 'reconnecting in * s: *operator*' }
        $tunnel.LastError.Reason | Should -Be Aborted
        (Get-Public $gateway blog.localhost).Reason | Should -Be agent-gone
    }

    It 'ends one of several agents with a name' {
        $second = Register-Tunnel $gateway $service blog -IdentityFile $keys[0].Path
        Get-Tunnel | Sort-Object Since | Select-Object -Last 1 | Stop-Tunnel
        Wait-Until { $second.StatusMessage -like 'reconnecting*' }
        $tunnel.StatusMessage | Should -Be connected
        (Get-Public $gateway blog.localhost).Status | Should -Be 200
        Stop-Tunnel b*
        Wait-Until { $tunnel.StatusMessage -like 'reconnecting*' }
    }

    It 'is every request, as a record' {
        $null = Get-Public $gateway blog.localhost /page?q=1
        $null = Get-Public $gateway nobody.localhost /x
        Wait-Until { @(Get-ProxyEvent gate -Kind HttpRequest).Count -eq 2 }
        $good, $bad = (Get-ProxyEvent gate -Kind HttpRequest).Request
        $good | Should -BeOfType ProxyShell.Engine.Diagnostics.HttpRequestRecord
        $good.Client, $good.Method, $good.Host, $good.Path, $good.Status, $good.BytesReceived | Should -Be '127.0.0.1', 'GET', 'blog.localhost', '/page?q=1', 200, 100
        $good.TimeToFirstByte | Should -BeGreaterThan ([timespan]::Zero)
        $good.Duration | Should -BeGreaterOrEqual $good.TimeToFirstByte
        $good.Tunnel | Should -Be blog.localhost
        $bad.Status, $bad.Reason, $bad.TimeToFirstByte | Should -Be 404, unknown-host, $null
        $table = $good, $bad | Format-Table | Out-String -Width 120
        $table | Should -Match 'Time +Client +Method +Host +Path +Status +Bytes +First ms +Total ms'
        $table | Should -Match '\d\d:\d\d:\d\d 127\.0\.0\.1 GET +blog\.localhost +/page\?q=1 +200 +100 B +\d+\.\d\d +\d+\.\d\d'
        ($good, $bad | Format-Table | Out-String -Width 80) | Should -Match 'Time +Client +Method'
        (Get-Tunnel | Format-Table | Out-String -Width 120) | Should -Match 'Url +Agent +Since +Open +Total +Sent +Received'
    }

    It 'reaches Register-ObjectEvent' {
        $seen = [Collections.Concurrent.ConcurrentQueue[object]]::new()
        $watch = Register-ObjectEvent $gateway EventWritten -MessageData $seen -Action { $Event.MessageData.Enqueue([pscustomobject]@{ Sender = $Sender; Written = $EventArgs.ProxyEvent }) }
        $own = Register-ObjectEvent $tunnel EventWritten -MessageData $seen -Action { $Event.MessageData.Enqueue([pscustomobject]@{ Sender = $Sender; Written = $EventArgs.ProxyEvent }) }
        try {
            $null = Get-Public $gateway blog.localhost
            Wait-Until { @($seen.ToArray() | Where-Object { $_.Written.Kind -eq 'HttpRequest' }).Count -eq 1 }
            ($seen.ToArray() | Where-Object { $_.Written.Kind -eq 'HttpRequest' }).Written.Request.Status | Should -Be 200
            Wait-Until { @($seen.ToArray() | Where-Object Sender -EQ $tunnel).Count -ge 1 }
        }
        finally { $watch, $own | Remove-Job -Force }
    }

    It 'is in a log file of either format' {
        $folder = (New-Item "$TestDrive/logs" -ItemType Directory).FullName
        $json = Start-TunnelGateway -HttpPort 0 -AccessLog $folder/json.log
        $combined = Start-TunnelGateway -HttpPort 0 -AccessLog $folder/combined.log -AccessLogFormat Combined -AccessLogSize 1000 -AccessLogCount 2
        foreach ($each in $json, $combined) { $null = Register-Tunnel $each $service blog -IdentityFile $keys[0].Path; 1..12 | ForEach-Object { $null = Get-Public $each blog.localhost "/bytes/$_" } }
        $json, $combined | Stop-Job
        $lines = Get-Content $folder/json.log | ConvertFrom-Json
        $lines.Count | Should -Be 12
        $lines[11].path, $lines[11].status, $lines[11].bytesReceived | Should -Be '/bytes/12', 200, 12
        Get-Content $folder/combined.log, $folder/combined.log.1 | Select-Object -Last 1 | Should -Match '^127\.0\.0\.1 - - \[.+\] "GET /bytes/\d+ HTTP/1\.1" 200 \d+ "-" "'
        @(Get-ChildItem $folder -Filter 'combined*').Count | Should -BeIn 2, 3
    }
}

Describe 'Set-TunnelGateway' {
    BeforeEach {
        $gateway = Start-TunnelGateway -HttpPort 0 -Token first -Name gate
        $tunnel = Register-Tunnel $gateway $service blog -IdentityFile $keys[0].Path -Token first
    }

    AfterEach { Remove-AllProxyJobs }

    It 'changes who may register, and leaves registered tunnels alone' {
        Set-TunnelGateway gate -Token second -AuthorizedKey $keys[0], $keys[1]
        $tunnel.StatusMessage | Should -Be connected
        (Get-Public $gateway blog.localhost).Status | Should -Be 200
        (Get-Refusal @{ Gateway = $gateway; Destination = $service; IdentityFile = $keys[1].Path; Token = 'first' }).FullyQualifiedErrorId | Should -BeLike 'AuthenticationFailed,*'
        (Register-Tunnel $gateway $service -IdentityFile $keys[1].Path -Token second).StatusMessage | Should -Be connected
        (Get-Refusal @{ Gateway = $gateway; Destination = $service; IdentityFile = $keys[2].Path; Token = 'second' }).FullyQualifiedErrorId | Should -BeLike 'AuthenticationFailed,*'
        Set-TunnelGateway gate -Token $null -AuthorizedKey $null
        (Register-Tunnel $gateway $service -IdentityFile $keys[2].Path).StatusMessage | Should -Be connected
        (Get-ProxyEvent gate -Kind Reconfigured).Message -join ' ' | Should -BeLike '*changed*Token*'
    }

    It 'changes pool, ports, limits and log' {
        $log = "$TestDrive/set.log"
        (Set-TunnelGateway gate -HostNamePool demo -TcpPortRange 31000-31999 -MaxRequestBody 10 -AccessLog $log -PassThru) | Should -Be $gateway
        (Get-Public $gateway blog.localhost -With @{ Method = 'Post'; Body = 'x' * 11 }).Status | Should -Be 413
        (Register-Tunnel $gateway $service -IdentityFile $keys[1].Path -Token first).HostName | Should -Be demo.localhost
        (Register-Tunnel $gateway "tcp://$($origin.Address)" -IdentityFile $keys[1].Path -Token first).RemoteEndpoint.Port | Should -BeIn (31000..31999)
        Set-TunnelGateway gate -AccessLogFormat Combined
        $null = Get-Public $gateway blog.localhost
        Set-TunnelGateway gate -AccessLog $null
        $null = Get-Public $gateway blog.localhost /after
        Stop-Job $gateway
        Wait-Until { @(Get-Content $log).Count -eq 2 }
        (Get-Content $log)[0] | Should -BeLike '{*'
        (Get-Content $log)[1] | Should -BeLike '127.0.0.1 - - *'
    }

    It 'refuses what a running gateway cannot do, and changes nothing for -WhatIf' {
        Set-TunnelGateway gate -MaxAgents 0 -MaxRequestBody 10 -ErrorAction SilentlyContinue -ErrorVariable problem
        $problem[0].FullyQualifiedErrorId | Should -Be 'InvalidOption,ProxyShell.Commands.SetTunnelGatewayCommand'
        $problem[0].TargetObject | Should -Be $gateway
        Set-TunnelGateway gate -MaxRequestBody 10 -WhatIf
        (Get-Public $gateway blog.localhost -With @{ Method = 'Post'; Body = 'x' * 11 }).Status | Should -Be 200
    }
}

Describe 'completion' {
    AfterEach { Remove-AllProxyJobs }

    It 'offers gateways, destinations, tunnels and jobs' {
        $gateway = Start-TunnelGateway -HttpPort 0 -Name gate
        $null = Register-Tunnel $gateway $service blog -IdentityFile $keys[0].Path -Name published
        $offers = { param($line) (TabExpansion2 $line $line.Length).CompletionMatches.ListItemText }
        & $offers 'Register-Tunnel ' | Should -Contain $gateway.Uri
        & $offers 'Register-Tunnel tun' | Should -Contain tunnels://
        & $offers 'Register-Tunnel x -Destination tc' | Should -Contain tcp+tls://
        & $offers 'Stop-Tunnel ' | Should -Be blog.localhost
        & $offers 'Unregister-Tunnel ' | Should -Be published
        & $offers 'Get-Tunnel ' | Should -Be gate
        & $offers 'Start-TunnelGateway -AccessLogFormat ' | Should -Be Combined, Json
    }
}
