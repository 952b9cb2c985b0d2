# Get-ProxyConnection, Stop-ProxyConnection and Get-ProxyEvent.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()
}

AfterAll { $origin.Dispose() }

Describe 'live connections' {
    BeforeEach {
        $p1 = Start-ProxyServer -Name first
        $listener = Start-AccessListener $origin.Address -Chain $p1 -Name web
        $download = [ProxyShellTests.Download]::new($listener.LocalPort, '/endless')
        Wait-Until { $download.Bytes -gt 1MB }
    }

    AfterEach {
        $download.Dispose()
        Remove-AllProxyJobs
    }

    It 'are shown for all jobs, a job, a name, a wildcard, an id and a destination' {
        @(Get-ProxyConnection).Count | Should -Be 2
        $connection = Get-ProxyConnection -Job $listener
        $connection.Service | Should -Be web
        $connection.Destination | Should -Be $origin.Address
        $connection.Chain | Should -Be $p1.Uri
        $connection.State | Should -Be Open
        $connection.Client | Should -BeLike '127.0.0.1:*'
        (Get-ProxyConnection web).Id | Should -Be $connection.Id
        (Get-ProxyConnection w*).Id | Should -Be $connection.Id
        (Get-ProxyConnection $listener.Id).Id | Should -Be $connection.Id
        ($listener, $p1 | Get-ProxyConnection).Count | Should -Be 2
        (Get-ProxyConnection -Id $connection.Id).Id | Should -Be $connection.Id
        @(Get-ProxyConnection -Destination "*:$($origin.Port)").Count | Should -Be 2
        Get-ProxyConnection -Destination nowhere* | Should -BeNullOrEmpty
        Get-ProxyConnection -Job nobody* | Should -BeNullOrEmpty
    }

    It 'stay live objects' {
        $connection = Get-ProxyConnection web
        $before = $connection.BytesReceived
        Wait-Until { $connection.BytesReceived -gt $before }
    }

    It 'are named in errors when they are not there' {
        Get-ProxyConnection -Id 999999999 -ErrorAction SilentlyContinue -ErrorVariable problem
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'ConnectionNotFound,*'
        $problem[0].TargetObject | Should -Be 999999999
        Get-ProxyConnection -Job nobody -ErrorAction SilentlyContinue -ErrorVariable problem
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'JobNotFound,*'
        $problem[0].CategoryInfo.Category | Should -Be ObjectNotFound
        Stop-ProxyConnection -Id 999999999 -ErrorAction SilentlyContinue -ErrorVariable problem
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'ConnectionNotFound,*'
    }

    It 'are ended by Stop-ProxyConnection, on both sides' {
        $connection = Get-ProxyConnection web
        Stop-ProxyConnection $connection
        Wait-Until { $download.IsEnded }
        Wait-Until { $connection.State -eq 'Failed' }
        $connection.LastError.Reason | Should -Be Aborted
        Wait-Until { -not (Get-ProxyConnection) }
        Stop-ProxyConnection $connection -ErrorAction Stop
    }

    It 'are ended by id' {
        Stop-ProxyConnection -Id (Get-ProxyConnection web).Id
        Wait-Until { $download.IsEnded }
    }

    It 'stay with -WhatIf' {
        Get-ProxyConnection | Stop-ProxyConnection -WhatIf
        $before = $download.Bytes
        Wait-Until { $download.Bytes -gt $before + 1MB }
    }

    It 'have a table with job, client, destination, chain, state, bytes, rate and duration' {
        $table = Get-ProxyConnection | Format-Table | Out-String -Width 200
        foreach ($column in 'Id', 'Job', 'Client', 'Destination', 'Chain', 'State', 'Sent', 'Received', 'Rate', 'Duration') { $table | Should -Match "\b$column\b" }
        $table | Should -Match '1 hop '
        $table | Should -Match 'MB'
    }

    It 'are completed by id, jobs by name, hops by URI' {
        $id = (Get-ProxyConnection web).Id
        $line = 'Stop-ProxyConnection -Id '
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Contain "$id"
        $line = 'Get-ProxyEvent -Job w'
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Be web
        $line = 'New-ProxyHop rel'
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Contain $p1.Uri
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Contain 'relays://'
        $line = 'Get-ProxyEvent -Kind F'
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Be Failed
    }
}

Describe 'events' {
    AfterEach { Remove-AllProxyJobs }

    It 'tell the life of a job in order, and are kept after its stop' {
        $listener = Start-AccessListener $origin.Address
        $null = Invoke-WebRequest "http://127.0.0.1:$($listener.LocalPort)/bytes/10"
        Wait-Until { Get-ProxyEvent $listener -Kind Closed }
        Stop-Job $listener
        (Get-ProxyEvent $listener).Kind | Should -Be Started, Opened, Closed, Stopped
        (Get-ProxyEvent $listener -Kind Opened, Closed).Kind | Should -Be Opened, Closed
        (Get-ProxyEvent $listener -First 1).Kind | Should -Be Started
        (Get-ProxyEvent $listener -Last 2).Kind | Should -Be Closed, Stopped
        (Get-ProxyEvent $listener -Kind Closed).BytesReceived | Should -BeGreaterThan 10
    }

    It 'are picked by time' {
        $listener = Start-AccessListener $origin.Address
        @(Get-ProxyEvent $listener -Since (Get-Date).AddMinutes(-1)).Count | Should -Be 1
        Get-ProxyEvent $listener -Since (Get-Date).AddMinutes(1) | Should -BeNullOrEmpty
    }

    It 'of several jobs are merged by time' {
        $jobs = 1..3 | ForEach-Object { Start-ProxyServer }
        $events = $jobs | Get-ProxyEvent
        $events.Service | Should -Be $jobs.Name
        ($events | Sort-Object Time -Stable).Service | Should -Be $events.Service
    }

    It 'have a table' {
        $null = Start-ProxyServer
        Get-ProxyEvent | Format-Table | Out-String -Width 200 | Should -Match 'Time +Job +Kind +Id +Client +Message(.|\n)*Started'
    }
}
