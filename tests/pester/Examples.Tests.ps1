# The examples, run as they are.

BeforeDiscovery { $scripts = Get-ChildItem $PSScriptRoot/../../examples -Filter *.ps1 | ForEach-Object { @{ Name = $_.Name; Path = $_.FullName } } }

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $examples = Join-Path $PSScriptRoot .. .. examples
    $origin = [ProxyShellTests.Origin]::new()
}

AfterAll {
    Remove-AllProxyJobs
    $origin.Dispose()
}

Describe 'examples' {
    It '<Name> has help and parses' -ForEach $scripts {
        $faults = $null
        $null = [Management.Automation.Language.Parser]::ParseFile($Path, [ref]$null, [ref]$faults)
        $faults | Should -BeNullOrEmpty
        (Get-Help $Path).Synopsis | Should -Not -BeNullOrEmpty
    }

    It 'three-hop-chain fetches a page and leaves no job' {
        $output = & $examples/three-hop-chain.ps1 -Destination $origin.Address | Out-String -Width 200
        $output | Should -Match '3 +127.*Ok'
        $output | Should -Match '200 OK, 100 bytes'
        Get-Job | Should -BeNullOrEmpty
    }

    It 'warm-sessions counts the sockets of both kinds of hops' {
        $output = & $examples/warm-sessions.ps1 -Destination $origin.Address -Count 5 | Out-String -Width 200
        $output | Should -Match '(?m)^relays +5 +[\d.,]+ +15 *$'
        $output | Should -Match '(?m)^relays\+mux +5 +[\d.,]+ +3 *$'
        $output | Should -Match 'Outgoing +127\.0\.0\.1:\d+ +tls'
        $output | Should -Match '3 +127.*kept +Ok'
        Get-Job | Should -BeNullOrEmpty
    }

    It 'limit-downloads ends what brought too much' {
        $listener = Start-AccessListener $origin.Address
        $download = [ProxyShellTests.Download]::new($listener.LocalPort, '/endless')
        Wait-Until { $download.Bytes -gt 2MB }
        & $examples/limit-downloads.ps1 -Job $listener -MaxBytes 1MB -Rounds 1 | Should -BeLike '*ended*MB*'
        Wait-Until { $download.IsEnded }
        $download.Dispose()
    }

    It 'ssh-through-chain gives ssh a port that leads to the machine' {
        $server = Start-ProxyServer
        function ssh { "$args"; $global:LASTEXITCODE = 0 }
        $output = & $examples/ssh-through-chain.ps1 -Chain $server.Uri -Machine 127.0.0.1 -Port $origin.Port -l admin uptime
        $output | Should -Match '^-p \d+ -o HostKeyAlias=127\.0\.0\.1 -o CheckHostIP=no -l admin 127\.0\.0\.1 uptime$'
    }

    It 'listener-as-task serves, logs and ends when told' {
        $env:PROXY_KEY = (New-ProxyKey).Reveal()
        $task = Start-ThreadJob -InitializationScript ([scriptblock]::Create("Import-Module '$modulePath'")) -ArgumentList $examples, "$TestDrive" -ScriptBlock {
            param($examples, $folder)
            & $examples/listener-as-task.ps1 -LocalPort 0 -LogFile $folder/log.jsonl -StopFile $folder/stop
        }
        try {
            Wait-Until { $task.Output.Count -eq 1 -or $task.State -in 'Failed', 'Completed' }
            $uri = $task.Output[0] -replace '^listening: '
            (Test-ProxyChain (New-ProxyHop $uri -Key $env:PROXY_KEY)).Status | Should -Be Ok
            New-Item $TestDrive/stop
            $output = $task | Receive-Job -Wait -AutoRemoveJob -ErrorAction Stop
            $output[-1] | Should -Be 'ended: stopped, 1 connections served'
            $log = Get-Content $TestDrive/log.jsonl | ConvertFrom-Json
            # actions of events may run out of order
            ($log | Sort-Object time).kind | Should -Be Closed, Stopped
            (Get-Content $TestDrive/log.jsonl -Raw) | Should -Not -BeLike "*$env:PROXY_KEY*"
        }
        finally { Remove-Item Env:PROXY_KEY }
    }
}
