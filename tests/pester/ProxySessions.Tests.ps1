# Hops by channels of warm sessions: Get-ProxySession, Stop-ProxySession, and what of them is seen elsewhere.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()
    $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=localhost', [Security.Cryptography.ECDsa]::Create(), 'SHA256')
    $certificate = $request.CreateSelfSigned([DateTimeOffset]::Now.AddDays(-1), [DateTimeOffset]::Now.AddDays(1))

    # Fetches a page through the listener, as many times.
    function Get-Page($Listener, [int] $Times = 1) {
        for ($i = 0; $i -lt $Times; $i++) {
            $page = [ProxyShellTests.Download]::new($Listener.LocalPort, '/bytes/100')
            try {
                Wait-Until { $page.IsEnded }
                $page.Bytes | Should -BeGreaterThan 100
            }
            finally { $page.Dispose() }
        }
    }

    # A port below those that systems give to outgoing connections, so that a server can come back to it.
    function Start-ReturningServer([int] $Port) {
        foreach ($try in 1..100) {
            $own = if ($Port) { $Port } else { Get-Random -Minimum 10000 -Maximum 32000 }
            $server = Start-ProxyServer -LocalPort $own -Certificate $certificate -ErrorAction SilentlyContinue -ErrorVariable problem
            if ($server) { return $server }
            $problem[0].FullyQualifiedErrorId | Should -BeLike 'AddressInUse,*'
            [Threading.Thread]::Sleep(50)
        }
        throw "port $own stays in use"
    }
}

AfterAll { $origin.Dispose() }

Describe 'a chain of three hops over relays+mux' {
    BeforeEach {
        $p1, $p2, $p3 = 1..3 | ForEach-Object { Start-ReturningServer }
        $chain = $p1, $p2, $p3 | New-ProxyChain -Multiplexed
        $web = Start-AccessListener $origin.Address -Chain $chain -Name web
    }

    AfterEach { Remove-AllProxyJobs }

    It 'begins sessions with its first connection and opens no socket for the next' {
        $chain.Hops.Scheme | Should -Be relays+mux, relays+mux, relays+mux
        Get-ProxySession $web | Should -BeNullOrEmpty
        Get-Page $web
        $own = Get-ProxySession $web
        $own.Count | Should -Be 1
        $own.Direction | Should -Be Outgoing
        $own.Peer | Should -Be "127.0.0.1:$($p1.LocalPort)"
        $own.Transport | Should -Be tls
        $own.OpenedChannels | Should -Be 1

        Get-Page $web -Times 20
        (Get-ProxySession $web).Id | Should -Be $own.Id
        $own.OpenedChannels | Should -Be 21
        foreach ($server in $p1, $p2, $p3) {
            $server.AcceptedChannels | Should -Be 21
            $server.AcceptedConnections | Should -Be 22 -Because 'one connection carries the session'
            (Get-ProxySession $server -Direction Incoming).OpenedChannels | Should -Be 21
        }
    }

    It 'tells in a test which sessions were there' {
        (Test-ProxyChain $chain -Destination $origin.Address).Session | Should -Be New, New, New, None
        (Test-ProxyChain $chain -Destination $origin.Address).Session | Should -Be Kept, Kept, Kept, None
        Get-ProxySession | Where-Object { -not $_.Services } | Stop-ProxySession
    }

    It 'names a middle hop that is lost, and goes on when it is back' {
        $download = [ProxyShellTests.Download]::new($web.LocalPort, '/endless')
        try {
            Wait-Until { $download.Bytes -gt 1MB }
            $port = $p2.LocalPort
            $p2.StopJob($true, 'test')
            Wait-Until { $download.IsEnded }
        }
        finally { $download.Dispose() }
        Wait-Until { Get-ProxyEvent $web -Kind Failed }
        "$((Get-ProxyEvent $web -Kind Failed)[-1].Message)" | Should -BeLike "hop 2 (127.0.0.1:$port): *"
        (Get-ProxySession $web).IsOpen | Should -BeTrue -Because 'the session to the first hop is not that one'

        $null = Test-ProxyChain $chain -ErrorAction SilentlyContinue -ErrorVariable problem
        "$($problem[0])" | Should -Be "hop 2 (127.0.0.1:$port): connection refused"
        $problem[0].TargetObject | Should -Be $chain.Hops[1]

        Remove-Job $p2 -Force
        $p2 = Start-ReturningServer $port
        # another certificate would be another server: the hop's is pinned, and it is the same
        Wait-Until { (Test-ProxyChain $chain -ErrorAction SilentlyContinue).Status -notcontains 'Failed' }
        Get-Page $web
    }
}

Describe 'sessions' {
    BeforeEach {
        $server = Start-ProxyServer -Name gate
        $web = Start-AccessListener $origin.Address -Chain (New-ProxyHop $server -Multiplexed) -Name web
        $other = Start-AccessListener $origin.Address -Chain (New-ProxyHop $server -Multiplexed) -Name other
        $plain = Start-AccessListener $origin.Address -Name plain
        $download = [ProxyShellTests.Download]::new($web.LocalPort, '/endless')
        Wait-Until { $download.Bytes -gt 1MB }
    }

    AfterEach {
        $download.Dispose()
        Remove-AllProxyJobs
    }

    It 'are shown for all jobs, a job, a name, a wildcard, the pipeline, an id and a direction' {
        @(Get-ProxySession).Count | Should -Be 2
        $out = Get-ProxySession -Direction Outgoing
        $out.Services | Should -Be web
        $in = Get-ProxySession -Direction Incoming
        $in.Services | Should -Be gate
        $in.Peer | Should -BeLike '127.0.0.1:*'
        $out.Channels, $in.Channels | Should -Be 1, 1
        (Get-ProxySession $web).Id | Should -Be $out.Id
        (Get-ProxySession w*).Id | Should -Be $out.Id
        (Get-ProxySession $server.Id).Id | Should -Be $in.Id
        (Get-ProxySession -Id $out.Id, $in.Id).Direction | Sort-Object | Should -Be Outgoing, Incoming
        Get-ProxySession plain | Should -BeNullOrEmpty
        Get-ProxySession nobody* | Should -BeNullOrEmpty
        Get-Page $other
        $out.Services | Sort-Object | Should -Be other, web
        @(Get-Job | Get-ProxySession).Count | Should -Be 2 -Because 'one that two jobs share is shown once'
    }

    It 'stay live objects' {
        $session = Get-ProxySession web
        $before = $session.BytesReceived
        Wait-Until { $session.BytesReceived -gt $before }
        $session.Window | Should -BeGreaterThan 0
        $session.RoundTrip | Should -BeOfType ([timespan])
        $session.Age | Should -BeGreaterThan ([timespan]::Zero)
        "$session" | Should -Be "session $($session.Id) to 127.0.0.1:$($server.LocalPort) (1 channel)"
    }

    It 'are ended by Stop-ProxySession with their channels, and begun anew' {
        $session = Get-ProxySession web
        $session | Stop-ProxySession
        Wait-Until { $download.IsEnded }
        Wait-Until { -not $session.IsOpen }
        Wait-Until { $session.LastError.Reason -eq "Aborted" }
        Wait-Until { Get-ProxyEvent web -Kind Failed }
        (Get-ProxyEvent web -Kind Failed).Message | Should -BeLike "hop 1 (127.0.0.1:$($server.LocalPort)): *aborted*"
        $session | Stop-ProxySession -ErrorAction Stop
        Get-Page $web
        (Get-ProxySession web).Id | Should -Not -Be $session.Id
        (Get-ProxyEvent web -Kind Session).Message | Should -BeLike "session to hop 1 (127.0.0.1:$($server.LocalPort)) *"
        (Get-ProxyEvent web -Kind Session).Message | ForEach-Object { $_ -replace '.*\) (\w+).*', '$1' } | Should -Be begun, lost, begun
    }

    It 'are ended by id, from the side of the server too' {
        Stop-ProxySession -Id (Get-ProxySession gate).Id
        Wait-Until { $download.IsEnded }
        Wait-Until { -not (Get-ProxySession) }
    }

    It 'stay with -WhatIf' {
        Get-ProxySession | Stop-ProxySession -WhatIf
        $before = $download.Bytes
        Wait-Until { $download.Bytes -gt $before + 1MB }
    }

    It 'are completed by their ids' {
        $id = (Get-ProxySession web).Id
        foreach ($text in 'Get-ProxySession -Id ', 'Stop-ProxySession -Id ') {
            (TabExpansion2 $text $text.Length).CompletionMatches.CompletionText | Should -Contain "$id"
        }
        (TabExpansion2 'Get-ProxySession -Job we' 24).CompletionMatches.CompletionText | Should -Be web
        (TabExpansion2 'Get-ProxySession -Direction ' 28).CompletionMatches.CompletionText | Should -Be Incoming, Outgoing
        (TabExpansion2 'New-ProxyHop relay+mux' 22).CompletionMatches.CompletionText | Should -Contain relay+mux://
        (TabExpansion2 'New-ProxyHop relay+mux' 22).CompletionMatches.CompletionText | Should -Contain relay+mux+unix:
    }

    It 'end with the last job that uses them' {
        Get-Page $other
        Stop-Job $other
        $session = Get-ProxySession web
        $session.IsOpen | Should -BeTrue
        $web.StopJob($true, 'test')
        Wait-Until { -not $session.IsOpen }
    }
}

Describe 'hops over sessions' {
    It 'are made with <Command>' -ForEach @(
        @{ Command = "New-ProxyHop relay+mux://a:1"; Uri = 'relay+mux://a:1'; Sessions = 8, 1000, '00:05:00', '00:00:30' }
        @{ Command = "New-ProxyHop relays://a:1 -Multiplexed"; Uri = 'relays+mux://a:1'; Sessions = 8, 1000, '00:05:00', '00:00:30' }
        @{ Command = "New-ProxyHop relay+unix:/p -Multiplexed -MaxSessions 1"; Uri = 'relay+mux+unix:/p'; Sessions = 1, 1000, '00:05:00', '00:00:30' }
        @{ Command = "New-ProxyHop -HostName a -Tls -WebSocketPath /w -Multiplexed -MaxChannels 4096"; Uri = 'relay+mux+wss://a:443/w'; Sessions = 8, 4096, '00:05:00', '00:00:30' }
        @{ Command = "New-ProxyHop 'relay+mux://a:1?sessions=2&channels=3&idle=4&keepalive=5'"; Uri = 'relay+mux://a:1'; Sessions = 2, 3, '00:00:04', '00:00:05' }
        @{ Command = "New-ProxyHop 'relay+mux://a:1?sessions=2&channels=3' -MaxChannels 7 -SessionIdleTimeout Infinite -KeepAlive 0:01:00"; Uri = 'relay+mux://a:1'; Sessions = 2, 7, '-00:00:00.0010000', '00:01:00' }
    ) {
        $hop = Invoke-Expression $Command
        $hop.Uri | Should -Be $Uri
        "$hop" | Should -Be $Uri
        $hop.Sessions.MaxSessions, $hop.Sessions.MaxChannels, "$($hop.Sessions.IdleTimeout)", "$($hop.Sessions.KeepAlive)" | Should -Be $Sessions
    }

    It 'are the relay hops of a mixed chain' {
        $chain = New-ProxyChain socks5://a, relay://b:1, ('relays://c:1', 'relay+mux://d:1') -Multiplexed -KeepAlive 9
        "$chain" | Should -Be 'socks5://a:1080 > relay+mux://b:1 > (relays+mux://c:1 | relay+mux://d:1)'
        $chain.Hops[1].Sessions.KeepAlive | Should -Be ([timespan]::FromSeconds(9))
        (New-ProxyChain relay://a:1 | Add-ProxyHop relay://b:1, ssh://c -Multiplexed).ToString() | Should -Be 'relay://a:1 > relay+mux://b:1 > ssh://c:22'
    }

    It 'come from a CSV file' {
        Set-Content $TestDrive/hops.csv @(
            'Uri,Multiplexed,MaxSessions,MaxChannels,SessionIdleTimeout,KeepAlive', 'relay://a:1,yes,2,,,', 'relays+mux://b:1,,,50,infinite,0:00:05', 'socks5://c,no,,,,', 'relay://d:1,,,,,')
        $chain = Import-Csv $TestDrive/hops.csv | New-ProxyChain
        "$chain" | Should -Be 'relay+mux://a:1 > relays+mux://b:1 > socks5://c:1080 > relay://d:1'
        $chain.Hops[0].Sessions.MaxSessions | Should -Be 2
        $chain.Hops[1].Sessions.MaxChannels, "$($chain.Hops[1].Sessions.IdleTimeout)", "$($chain.Hops[1].Sessions.KeepAlive)" | Should -Be 50, '-00:00:00.0010000', '00:00:05'
    }

    It 'come not from the row <Row>' -ForEach @(
        @{ Row = @{ Uri = 'relay://a:1'; MaxSessions = '2' }; Because = 'relay://a:1 is not multiplexed*did you mean relay+mux: ?' }
        @{ Row = @{ Uri = 'socks5://a'; Multiplexed = 'true' }; Because = 'only relay hops take sessions' }
        @{ Row = @{ Uri = 'relay+mux://a:1'; MaxSessions = 'two' }; Because = "MaxSessions holds 'two', which is not a whole number" }
        @{ Row = @{ Uri = 'relay+mux://a:1'; MaxSessions = '65' }; Because = "MaxSessions of sessions is '65'; it must be 1 to 64" }
        @{ Row = @{ Uri = 'relay+mux://a:1'; KeepAlive = 'soon' }; Because = "Column KeepAlive: 'soon' is not a time" }
        @{ Row = @{ Uri = 'relay://a:1'; Multiplexed = 'maybe' }; Because = "Multiplexed holds 'maybe'" }
    ) {
        [pscustomobject]$Row | New-ProxyChain -ErrorAction SilentlyContinue -ErrorVariable problem | Should -BeNullOrEmpty
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'InvalidHop,*'
        $problem[0].CategoryInfo.Category | Should -Be InvalidArgument
        "$($problem[0])" | Should -BeLike "*$Because*"
    }

    It 'share sessions that a server was told to limit' {
        $last = Start-ProxyServer
        $first = Start-ProxyServer -MaxSessions 1 -MaxChannels 1 -SessionIdleTimeout Infinite -KeepAlive 5
        $web = Start-AccessListener $origin.Address -Chain (New-ProxyChain $first, (New-ProxyHop $last -Multiplexed))
        $download = [ProxyShellTests.Download]::new($web.LocalPort, '/endless')
        try {
            Wait-Until { $download.Bytes -gt 1MB }
            $null = Test-ProxyChain $web.Chain -ErrorAction SilentlyContinue -ErrorVariable problem
            $problem[0].FullyQualifiedErrorId | Should -BeLike 'LimitExceeded,*'
            $problem[0].CategoryInfo.Category | Should -Be LimitsExceeded
        }
        finally {
            $download.Dispose()
            Remove-AllProxyJobs
        }
    }
}

Describe 'the pool' {
    It 'is closed when the module goes and no job of another session is running' {
        Set-Content $TestDrive/server.ps1 @'
param($Module, $Folder)
Import-Module $Module
$server = Start-ProxyServer
Set-Content $Folder/port.part $server.LocalPort
Move-Item $Folder/port.part $Folder/port
while (-not (Test-Path $Folder/stop)) { [Threading.Thread]::Sleep(20) }
Set-Content $Folder/left @(Get-ProxySession).Count
'@
        $server = Start-Process pwsh -PassThru -ArgumentList '-NoProfile', '-NonInteractive', '-File', "$TestDrive/server.ps1", $modulePath, $TestDrive
        try {
            Wait-Until { Test-Path $TestDrive/port } -Within 30
            $other = [runspacefactory]::CreateRunspace([initialsessionstate]::CreateDefault2())
            $other.Open()
            $shell = [powershell]::Create($other)
            $script = "Import-Module '$modulePath'; `$null = Start-ProxyServer; (Test-ProxyChain 'relay+mux://127.0.0.1:$(Get-Content $TestDrive/port)').Session; Remove-Module ProxyShell"
            $shell.AddScript($script).Invoke() | Should -Be New
            $shell.Dispose()
            $other.Dispose()
            Get-ProxySession | Should -BeNullOrEmpty
        }
        finally {
            New-Item $TestDrive/stop
            $server.WaitForExit(10000) | Should -BeTrue
        }
        Get-Content $TestDrive/left | Should -Be 0
    }
}
