# Alternates: failover as clients see it, Get-ProxyChainHealth, and Test-ProxyChain on chains with alternates.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()
}

AfterAll { $origin.Dispose() }

Describe 'Get-ProxyChainHealth' {
    AfterEach { Remove-AllProxyJobs }

    It 'shows an alternate that is stopped, and the client notices nothing' {
        $first, $second = (Start-ProxyServer), (Start-ProxyServer)
        $chain = New-ProxyChain $first, $second -Alternate
        $listener = Start-AccessListener $origin.Address -Chain $chain
        Wait-Until { @(Get-ProxyChainHealth $listener | Where-Object State -EQ Up).Count -eq 2 }
        Stop-Job $first
        1..3 | ForEach-Object { (Invoke-WebRequest "http://127.0.0.1:$($listener.LocalPort)/").StatusCode } | Should -Be 200, 200, 200
        $listener.FailedConnections | Should -Be 0
        $health = Get-ProxyChainHealth $listener
        $health | Should -BeOfType ProxyShell.Engine.Chains.ChainHealth
        $health.Place | Should -Be 1, 1
        $health.Alternate | Should -Be $first.Uri, $second.Uri
        $health.State | Should -Be Down, Up
        $health[0].ConsecutiveFailures | Should -BeGreaterThan 0
        $health[0].LastError | Should -BeLike '*connection refused*'
        Wait-Until { Get-ProxyEvent -Job $listener -Kind Health }
        ($chain | Get-ProxyChainHealth).State | Should -Be Down, Up -Because 'the chain is the one that is in use'

        $again = Start-ProxyServer -LocalPort $first.LocalPort
        Wait-Until { (Get-ProxyChainHealth $listener)[0].State -eq 'Up' } -Within 20
        $again.State | Should -Be Running
    }

    It 'shows a group that jobs share once, and all jobs without an argument' {
        $chain = New-ProxyChain (Start-ProxyServer), (Start-ProxyServer) -Alternate
        $null = Start-AccessListener $origin.Address -Chain $chain
        $null = Start-ProxyServer -Rule (New-ProxyRule *.example -Chain $chain)
        (Get-ProxyChainHealth).Count | Should -Be 2
        (Get-Job | Get-ProxyChainHealth).Count | Should -Be 2
        (Get-ProxyChainHealth -Job AccessListener*).Count | Should -Be 2
    }

    It 'has nothing to show of chains without alternates, and says so' {
        New-ProxyChain relay://a:1, relay://b:1 | Get-ProxyChainHealth -WarningVariable told -WarningAction SilentlyContinue | Should -BeNullOrEmpty
        "$told" | Should -BeLike '*no alternates*'
        Get-ProxyChainHealth -Job (Start-ProxyServer) | Should -BeNullOrEmpty
    }

    It 'refuses a job that is none' {
        Get-ProxyChainHealth -Job no-such-job -ErrorAction SilentlyContinue -ErrorVariable problem
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'JobNotFound,*'
        $problem[0].CategoryInfo.Category | Should -Be ObjectNotFound
        $problem[0].TargetObject | Should -Be no-such-job
    }
}

Describe 'Test-ProxyChain with alternates' {
    AfterEach { Remove-AllProxyJobs }

    It 'passes every alternate, and names the hop at fault' {
        $server = Start-ProxyServer
        $closed = "relay://127.0.0.1:$(Get-ClosedPort)"
        $results = Test-ProxyChain (New-ProxyChain $server, ($server, $closed, $server)) -Destination $origin.Address -ErrorAction SilentlyContinue -ErrorVariable problem
        $results.Place | Should -Be 1, 2, 2, 2, 3
        $results.Alternate | Should -Be $null, 1, 2, 3, $null
        $results.Status | Should -Be Ok, Ok, Failed, Ok, Ok
        $problem.Count | Should -Be 1
        $problem[0].TargetObject.Uri | Should -Be $closed
        $results | Format-Table | Out-String | Should -Match '(?m)^ 2\.2 127(.|\n)*^ 2\.3 127(.|\n)*^dest 127'
    }
}
