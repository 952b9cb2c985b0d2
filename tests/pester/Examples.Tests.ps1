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

    It 'striped-copy copies a file whole, over both ways, and leaves no job' {
        $bytes = [byte[]]::new(3MB)
        [Random]::new(7).NextBytes($bytes)
        [IO.File]::WriteAllBytes("$TestDrive/original", $bytes)
        $output = & $examples/striped-copy.ps1 "$TestDrive/original" "$TestDrive/copy" -Rate 8MB | Out-String -Width 200
        $output | Should -Match '(?m)^AccessListener +[\d.,]+ +[\d.,]+ +True *$'
        $output | Should -Match '(?m)^StripedPipe +[\d.,]+ +[\d.,]+ +True *$'
        @([regex]::Matches($output, '(?m)^striped-copy +\d+ Active +(relay://127\.0\.0\.1:\d+)').Groups | Where-Object Name -EQ 1 | Sort-Object Value -Unique).Count | Should -Be 2
        (Get-FileHash "$TestDrive/copy").Hash | Should -Be (Get-FileHash "$TestDrive/original").Hash
        Get-Job | Where-Object { $_ -is [ProxyShell.Jobs.ProxyJob] } | Should -BeNullOrEmpty
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

    It 'share-service publishes, shows requests and leaves no job' {
        $configFolder, $env:XDG_CONFIG_HOME = $env:XDG_CONFIG_HOME, "$TestDrive/config"
        try {
            $output = [Collections.Generic.List[string]]::new()
            & $examples/share-service.ps1 "http://$($origin.Address)" -HostName demo -Count 2 | ForEach-Object {
                $output.Add($_)
                # its first line tells where to ask
                if ($_ -match '^http://demo\.localhost:(\d+) leads to') { 1..2 | ForEach-Object { $null = Invoke-WebRequest "http://127.0.0.1:$($Matches[1])/bytes/$_" -Headers @{ Host = 'demo.localhost' } } }
            }
            $output[1..2] | Should -Match 'GET demo\.localhost\S*/bytes/\d: 200 in'
        }
        finally { $env:XDG_CONFIG_HOME = $configFolder }
        Get-Job | Where-Object PSJobTypeName -Like 'Tunnel*' | Should -BeNullOrEmpty
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

    It 'tunnel-as-task makes a task that runs the Host with a file that was checked' {
        $file = New-Item $TestDrive/agents/tunnel-agent.json -Force
        $calls = [Collections.Generic.List[string]]::new()
        function proxyshell { $calls.Add("proxyshell $args"); $global:LASTEXITCODE = 0 }
        function icacls { $calls.Add("icacls $($args[0])"); $global:LASTEXITCODE = 0 }
        function New-ScheduledTaskAction($Execute, $Argument, $WorkingDirectory) { "$Execute $Argument" }
        function New-ScheduledTaskTrigger([switch] $AtStartup) { "start: $AtStartup" }
        function New-ScheduledTaskPrincipal($UserId, $LogonType, $RunLevel) { "$UserId $RunLevel" }
        function New-ScheduledTaskSettingsSet { 'settings' }
        function Register-ScheduledTask($TaskName, $Description, $Action, $Trigger, $Principal, $Settings, [switch] $Force) { $calls.Add("$TaskName; $Action; $Trigger; $Principal") }
        function Start-ScheduledTask($TaskName) { $calls.Add("start $TaskName") }
        function Get-ScheduledTask($TaskName) { $TaskName }
        function Stop-ScheduledTask($TaskName) { $calls.Add("stop $TaskName") }
        function Unregister-ScheduledTask($TaskName, [switch] $Confirm) { $calls.Add("unregister $TaskName") }
        & $examples/tunnel-as-task.ps1 -ConfigurationFile $file -TaskName agents -Program proxyshell | Should -Be agents
        & $examples/tunnel-as-task.ps1 -TaskName agents -Unregister
        $calls | Should -Be "proxyshell run --check --config $file", "icacls $TestDrive/agents", "agents; proxyshell run --config `"$file`"; start: True; S-1-5-19 Limited", 'start agents', 'stop agents', 'unregister agents'
        $calls.Clear()
        & $examples/tunnel-as-task.ps1 -ConfigurationFile $file -TaskName agents -Program proxyshell -WhatIf
        $calls | Should -Be "proxyshell run --check --config $file"
    }
}
