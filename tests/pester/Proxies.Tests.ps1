# Listeners as SOCKS and HTTP proxies, forwards of datagrams, and the PROXY protocol, with clients that people use.

BeforeDiscovery {
    $hasCurl = [bool](Get-Command curl -CommandType Application -ErrorAction Ignore)
    $clients = 'curl socks5h', 'curl socks5', 'curl socks4a', 'curl http', 'curl connect', 'Invoke-WebRequest socks5', 'Invoke-WebRequest http' |
        Where-Object { ($hasCurl -or $_ -notlike 'curl*') -and -not ($IsWindows -and $_ -like 'Invoke*') }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()
    $url = "http://$($origin.Address)/bytes/100000"
    $hash = [ProxyShellTests.Origin]::HashOf(100000)
    $credential = [pscredential]::new('me', (ConvertTo-SecureString 'p w@:' -AsPlainText -Force))
    $wrong = [pscredential]::new('me', (ConvertTo-SecureString 'other' -AsPlainText -Force))
    $curl = Get-Command curl -CommandType Application -ErrorAction Ignore | Select-Object -First 1
    $file = Join-Path $TestDrive file

    # What a client gets through a port: the hash of the file, or the client's error.
    function Get-Through([string] $Client, [int] $Port, [pscredential] $As) {
        Remove-Item $file -ErrorAction Ignore
        $login = if ($As) { $As.GetNetworkCredential() }
        $user = if ($login) { '--proxy-user', "$($login.UserName):$($login.Password)" } else { @() }
        switch ($Client) {
            'curl socks5h' { & $curl -sS --max-time 20 -o $file --socks5-hostname "127.0.0.1:$Port" @user $url 2>&1 }
            'curl socks5' { & $curl -sS --max-time 20 -o $file --socks5 "127.0.0.1:$Port" @user $url 2>&1 }
            'curl socks4a' { & $curl -sS --max-time 20 -o $file --socks4a "127.0.0.1:$Port" $url 2>&1 }
            'curl http' { & $curl -sS --fail --max-time 20 -o $file --proxy "http://127.0.0.1:$Port" @user $url 2>&1 }
            'curl connect' { & $curl -sS --fail --max-time 20 -o $file --proxytunnel --proxy "http://127.0.0.1:$Port" @user $url 2>&1 }
            'Invoke-WebRequest socks5' { Invoke-Through "socks5://127.0.0.1:$Port" }
            'Invoke-WebRequest http' { Invoke-Through "http://127.0.0.1:$Port" }
        }
        if (Test-Path $file) { (Get-FileHash $file).Hash }
    }

    # no proxy is used for 127.0.0.1, and 0.0.0.0 is this machine too, but cannot be connected to directly
    function Invoke-Through([uri] $Proxy) {
        $with = if ($As) { @{ ProxyCredential = $As } } else { @{} }
        try { Invoke-WebRequest ($url -replace '127.0.0.1', '0.0.0.0') -OutFile $file -Proxy $Proxy @with -ConnectionTimeoutSeconds 20 } catch { "$_" }
    }
}

AfterAll { $origin.Dispose() }

Describe 'a listener as proxy' {
    AfterEach { Remove-AllProxyJobs }

    It 'serves <_>' -ForEach $clients {
        $hop = Start-ProxyServer
        $proxy = Start-AccessListener -Chain $hop
        Get-Through $_ $proxy.LocalPort | Should -Be $hash
        $hop.AcceptedConnections | Should -Be 1
        Get-Through $_ $hop.LocalPort | Should -Be $hash -Because 'a proxy server serves the same protocols'
    }

    It 'wants a credential of <_>' -ForEach @($clients -ne 'curl socks4a') {
        $proxy = Start-AccessListener -Credential $credential
        Get-Through $_ $proxy.LocalPort $credential | Should -Be $hash
        Get-Through $_ $proxy.LocalPort $wrong | Should -Not -Be $hash
        Get-Through $_ $proxy.LocalPort | Should -Not -Be $hash
        Wait-Until { (Get-ProxyEvent -Job $proxy -Reason AuthenticationFailed).Count -ge 1 }
    }

    It 'serves only what -Protocol names' -Skip:(-not $hasCurl) {
        Get-Through 'curl http' (Start-AccessListener -Protocol Socks5).LocalPort | Should -Not -Be $hash
        Get-Through 'curl socks5h' (Start-AccessListener -Protocol Http).LocalPort | Should -Not -Be $hash
        Get-Through 'curl socks5h' (Start-ProxyServer -Protocol Relay, Socks5).LocalPort | Should -Be $hash
        Get-Through 'curl socks5h' (Start-ProxyServer -Key (New-ProxyKey)).LocalPort | Should -Not -Be $hash -Because 'a key leaves no second door open'
    }

    It 'is a hop for chains: <_>' -ForEach 'Socks5', 'Http' {
        $server = Start-ProxyServer -Protocol $_ -Credential $credential
        $server.Uri | Should -Be "$($_.ToLower())://127.0.0.1:$($server.LocalPort)"
        (New-ProxyHop $server).Credential.UserName | Should -Be me
        $chain = New-ProxyChain (Start-ProxyServer), $server, (Start-ProxyServer)
        (Test-ProxyChain $chain -Destination $origin.Address).Status | Should -Be Ok, Ok, Ok, Ok
        $null = Test-ProxyChain (New-ProxyHop $server.Uri -Credential $wrong) -Destination $origin.Address -ErrorAction SilentlyContinue -ErrorVariable problem
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'AuthenticationFailed,*'
        $problem[0].CategoryInfo.Category | Should -Be AuthenticationError
        $problem[0].TargetObject.Uri | Should -Be $server.Uri
    }

    It 'listens for others with a credential' {
        (Start-AccessListener -LocalAddress 0.0.0.0 -Credential $credential).State | Should -Be Running
        Start-AccessListener -LocalAddress 0.0.0.0 -ErrorAction SilentlyContinue -ErrorVariable problem | Should -BeNullOrEmpty
        "$($problem[0])" | Should -BeLike '*others can reach it*give a credential*'
    }

    It 'goes by rules' -Skip:(-not $hasCurl) {
        $proxy = Start-AccessListener -Rule (New-ProxyRule 127.0.0.0/30 -Port $origin.Port -Direct) -BlockByDefault
        Get-Through 'curl socks5h' $proxy.LocalPort | Should -Be $hash
        & $curl -sS --socks5-hostname "127.0.0.1:$($proxy.LocalPort)" http://no-such-name.invalid/ 2>&1 | Out-Null
        Wait-Until { Get-ProxyEvent -Job $proxy -Reason Forbidden }
    }
}

Describe 'a forward of datagrams' {
    AfterEach { Remove-AllProxyJobs }

    It 'carries them there and back' {
        $echo = [ProxyShellTests.UdpEcho]::new()
        try {
            $near = Start-AccessListener $echo.Address -Protocol Udp
            $near.Uri | Should -BeLike 'udp://127.0.0.1:*'
            [ProxyShellTests.UdpEcho]::Ask($near.LocalPort, 'hello', 5000) | Should -Be hello
            (Get-ProxyConnection -Job $near).Protocol | Should -Be udp
        }
        finally { $echo.Dispose() }
    }
}

Describe 'the PROXY protocol' {
    AfterEach { Remove-AllProxyJobs }

    It 'tells the destination of the client' {
        $taker = [ProxyShellTests.LineTaker]::new()
        $listener = Start-AccessListener $taker.Address -SendProxyProtocol V1
        $client = [ProxyShellTests.Download]::new($listener.LocalPort, '/')
        Wait-Until { $taker.Line }
        $taker.Line | Should -Match "^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ $($listener.LocalPort)$"
        $client.Dispose(); $taker.Dispose()
    }

    It 'is understood by listeners' -Skip:(-not $hasCurl) {
        $listener = Start-AccessListener $origin.Address -AcceptProxyProtocol
        & $curl -sS --haproxy-protocol -o $file "http://127.0.0.1:$($listener.LocalPort)/bytes/100000"
        (Get-FileHash $file).Hash | Should -Be $hash
        & $curl -sS --max-time 20 "http://127.0.0.1:$($listener.LocalPort)/" 2>&1 | Out-Null
        Wait-Until { Get-ProxyEvent -Job $listener -Reason ProtocolError }
    }

    It 'is for destinations that expect it' {
        Start-AccessListener -SendProxyProtocol V2 -ErrorAction SilentlyContinue -ErrorVariable problem | Should -BeNullOrEmpty
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'InvalidOption,*'
        "$($problem[0])" | Should -BeLike '*needs a Destination*'
    }
}
