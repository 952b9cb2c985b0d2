# One contract for every job type: what Get-Job, Stop-Job, Wait-Job, Receive-Job and Remove-Job may rely on.

BeforeDiscovery {
    $types = @{ Type = 'ProxyServer' }, @{ Type = 'AccessListener' }, @{ Type = 'StripedPipe' }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()
}

AfterAll { $origin.Dispose() }

Describe 'a <Type> job' -ForEach $types {
    AfterEach { Remove-AllProxyJobs }

    It 'listens and runs when its cmdlet returns' {
        $job = Start-TestJob $Type $origin.Address
        $job.State | Should -Be Running
        $job.LocalPort | Should -BeGreaterThan 0
        $job.Location | Should -Be "127.0.0.1:$($job.LocalPort)"
        $job.Uri | Should -Match "://127\.0\.0\.1:$($job.LocalPort)$"
        $job.PSBeginTime | Should -Not -BeNullOrEmpty
        Test-Listening $job.LocalPort | Should -BeTrue
    }

    It 'has a type name that fits the job table' {
        $job = Start-TestJob $Type $origin.Address
        $job.PSJobTypeName | Should -Be $Type
        $job.PSJobTypeName.Length | Should -BeLessOrEqual 15
        (Get-Job $job.Name | Format-Table | Out-String -Width 200) | Should -Match "PSJobTypeName(.|\n)*$Type"
    }

    It 'is found by id, instance id, name, wildcard, state and command' {
        $job = Start-TestJob $Type $origin.Address @{ Name = 'findme' }
        (Get-Job -Id $job.Id) | Should -Be $job
        (Get-Job -InstanceId $job.InstanceId) | Should -Be $job
        (Get-Job -Name findme) | Should -Be $job
        (Get-Job -Name find*) | Should -Be $job
        (Get-Job -State Running) | Should -Contain $job
        (Get-Job -State Failed) | Should -Not -Contain $job
        (Get-Job -Command "*-$Type*") | Should -Contain $job
        (Get-Job -Filter @{ Name = 'findme' } -WarningAction Ignore) | Should -Be $job
    }

    It 'stops: Running, Stopping, Stopped, and nobody listens any more' {
        $job = Start-TestJob $Type $origin.Address
        $states = [Collections.Concurrent.ConcurrentQueue[object]]::new()
        $watch = Register-ObjectEvent $job StateChanged -MessageData $states -Action { $Event.MessageData.Enqueue([pscustomobject]@{ Number = $Event.EventIdentifier; State = "$($EventArgs.JobStateInfo.State)" }) }
        try {
            Stop-Job $job
            $job.State | Should -Be Stopped
            Test-Listening $job.LocalPort | Should -BeFalse
            Wait-Until { $states.Count -eq 2 }
            # actions may run out of order; the numbers of events are in order
            ($states | Sort-Object Number).State | Should -Be Stopping, Stopped
            $job.PSEndTime | Should -Not -BeNullOrEmpty
        }
        finally { $watch | Remove-Job -Force }
    }

    It 'stops within its grace while traffic flows' {
        $job = Start-TestJob $Type $origin.Address @{ StopTimeout = 0.5 }
        $download = [ProxyShellTests.Download]::new((Get-EntryPort $job $origin.Address), '/endless')
        try {
            Wait-Until { $download.Bytes -gt 1MB }
            $job.ActiveConnections | Should -BeGreaterThan 0
            $time = Measure-Command { Stop-Job $job }
            $job.State | Should -Be Stopped
            $time.TotalSeconds | Should -BeGreaterThan 0.3 -Because 'open connections get the grace time to finish'
            $time.TotalSeconds | Should -BeLessThan 4
            $job.ActiveConnections | Should -Be 0
            Wait-Until { $download.IsEnded }
        }
        finally { $download.Dispose() }
    }

    It 'lets a connection that ends in time finish' {
        $job = Start-TestJob $Type $origin.Address @{ StopTimeout = 20 }
        $download = [ProxyShellTests.Download]::new((Get-EntryPort $job $origin.Address), '/endless')
        Wait-Until { $download.Bytes -gt 1MB }
        $job.StopJobAsync()
        Wait-Until { $job.State -eq 'Stopping' }
        $before = $download.Bytes
        Wait-Until { $download.Bytes -gt $before + 1MB }
        Test-Listening $job.LocalPort | Should -BeFalse -Because 'a stopping job takes no new connections'
        $download.Dispose()
        (Wait-Job $job -Timeout 10).State | Should -Be Stopped
    }

    It 'is removed by force within its grace while traffic flows' {
        $job = Start-TestJob $Type $origin.Address @{ StopTimeout = 0.5 }
        $download = [ProxyShellTests.Download]::new((Get-EntryPort $job $origin.Address), '/endless')
        try {
            Wait-Until { $download.Bytes -gt 1MB }
            (Measure-Command { Remove-Job $job -Force }).TotalSeconds | Should -BeLessThan 4
            Get-Job -InstanceId $job.InstanceId -ErrorAction Ignore | Should -BeNullOrEmpty
            Test-Listening $job.LocalPort | Should -BeFalse
        }
        finally { $download.Dispose() }
    }

    It 'is not removed while it runs unless by force' {
        $job = Start-TestJob $Type $origin.Address
        Remove-Job $job -ErrorAction SilentlyContinue -ErrorVariable problem
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'JobObjectNotFinishedCannotBeRemoved*'
        $job.State | Should -Be Running
    }

    It 'makes Wait-Job wait, no longer than asked' {
        $job = Start-TestJob $Type $origin.Address
        $time = Measure-Command { Wait-Job $job -Timeout 1 | Should -BeNullOrEmpty }
        $time.TotalSeconds | Should -BeGreaterThan 0.9
        $job.State | Should -Be Running
        $job.StopJobAsync()
        (Wait-Job $job -Timeout 10).State | Should -Be Stopped
    }

    It 'tells when its asynchronous stop is complete, every time it is asked' {
        $job = Start-TestJob $Type $origin.Address
        $told = [Collections.Concurrent.ConcurrentQueue[object]]::new()
        $watch = Register-ObjectEvent $job StopJobCompleted -MessageData $told -Action { $Event.MessageData.Enqueue("$($EventArgs.Error)") }
        try {
            $job.StopJobAsync()
            $job.StopJobAsync($true, 'twice')
            Wait-Until { $told.Count -eq 2 }
            $job.State | Should -Be Stopped
            $job.StopJobAsync()
            Wait-Until { $told.Count -eq 3 }
            "$told".Trim() | Should -BeNullOrEmpty -Because 'no stop met an error'
        }
        finally { $watch | Remove-Job -Force }
    }

    It 'can be stopped again and again' {
        $job = Start-TestJob $Type $origin.Address
        Stop-Job $job
        Stop-Job $job
        $job.StopJob()
        $job.StopJob($true, 'again')
        $job.State | Should -Be Stopped
    }

    It 'hurries when a second stop gives no grace' {
        $job = Start-TestJob $Type $origin.Address @{ StopTimeout = 60 }
        $download = [ProxyShellTests.Download]::new((Get-EntryPort $job $origin.Address), '/endless')
        try {
            Wait-Until { $download.Bytes -gt 1MB }
            $job.StopJobAsync()
            Wait-Until { $job.State -eq 'Stopping' }
            (Measure-Command { $job.StopJob($true, 'enough') }).TotalSeconds | Should -BeLessThan 5
            $job.State | Should -Be Stopped
        }
        finally { $download.Dispose() }
    }

    It 'is Failed, with the reason, when its service ends without being told to' {
        $job = Start-TestJob $Type $origin.Address
        $service = [ProxyShell.Jobs.ProxyJob].GetProperty('Service', [Reflection.BindingFlags]'Instance, NonPublic').GetValue($job)
        $null = $service.StopAsync([timespan]::Zero)
        (Wait-Job $job -Timeout 10).State | Should -Be Failed
        $job.JobStateInfo.Reason.Message | Should -BeLike "$($job.Name)*without being told*"
        $job.StatusMessage | Should -BeLike '*without being told*'
        Receive-Job $job -ErrorAction SilentlyContinue -ErrorVariable problem
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'JobStateFailed*'
        Stop-Job $job
        Remove-Job $job
    }

    It 'ends while it is looked at from many sides' {
        $job = Start-TestJob $Type $origin.Address
        $lookers = 1..4 | ForEach-Object { Start-ThreadJob { param($job) while ($job.State -ne 'Stopped') { "$($job.StatusMessage)$($job.HasMoreData)$($job.BytesSent)" } } -ArgumentList $job }
        $stoppers = 1..4 | ForEach-Object { Start-ThreadJob { param($job) $job.StopJob() } -ArgumentList $job }
        $null = $lookers + $stoppers | Wait-Job -Timeout 20
        $job.State | Should -Be Stopped
        ($lookers + $stoppers).State | Should -Not -Contain Failed
        $lookers + $stoppers | Remove-Job -Force
    }

    It 'frees everything when it is disposed while it runs' {
        $job = Start-TestJob $Type $origin.Address
        $job.Dispose()
        $job.State | Should -Be Stopped
        Test-Listening $job.LocalPort | Should -BeFalse
        $job.Dispose()
        $job.BytesSent | Should -BeGreaterOrEqual 0 -Because 'its counters can still be read'
    }

    It 'ends Receive-Job -Wait -AutoRemoveJob and is removed' {
        $job = Start-TestJob $Type $origin.Address
        $stopper = Start-ThreadJob { param($job) while ($job.State -ne 'Running') { [Threading.Thread]::Yield() }; <# nothing tells that Receive-Job waits by now #> [Threading.Thread]::Sleep(300); $job.StopJob() } -ArgumentList $job
        $output = Receive-Job $job -Wait -AutoRemoveJob
        $output | Should -BeNullOrEmpty
        $job.State | Should -Be Stopped
        Get-Job -InstanceId $job.InstanceId -ErrorAction Ignore | Should -BeNullOrEmpty
        $stopper | Wait-Job -Timeout 10 | Receive-Job -ErrorAction Stop
        $stopper | Remove-Job -Force
    }

    It 'gives Receive-Job nothing, at once, while it runs' {
        $job = Start-TestJob $Type $origin.Address
        $job.HasMoreData | Should -BeFalse
        Receive-Job $job | Should -BeNullOrEmpty
        foreach ($record in $job.Output) { throw 'the output is empty' }
    }

    It 'says clearly that it cannot be suspended, resumed, unblocked or started again' {
        $job = Start-TestJob $Type $origin.Address
        { $job.SuspendJob() } | Should -Throw '*cannot be suspended*'
        { $job.ResumeJob() } | Should -Throw '*cannot be resumed*'
        { $job.UnblockJob() } | Should -Throw '*cannot be unblocked*'
        { $job.StartJob() } | Should -Throw '*cannot be started again*'
        $told = [Collections.Concurrent.ConcurrentQueue[object]]::new()
        $watch = Register-ObjectEvent $job SuspendJobCompleted -MessageData $told -Action { $Event.MessageData.Enqueue($EventArgs.Error.Message) }
        try {
            $job.SuspendJobAsync()
            Wait-Until { $told.Count -eq 1 }
            "$told" | Should -BeLike '*cannot be suspended*'
        }
        finally { $watch | Remove-Job -Force }
    }

    It 'counts connections and bytes exactly' {
        $job = Start-TestJob $Type $origin.Address
        $port = Get-EntryPort $job $origin.Address
        $sizes = 10, 1000, 100000
        foreach ($size in $sizes) { (Invoke-WebRequest "http://127.0.0.1:$port/bytes/$size").RawContentLength | Should -Be $size }
        Wait-Until { $job.ActiveConnections -eq 0 }
        $job.AcceptedConnections | Should -Be 3
        $job.FailedConnections | Should -Be 0
        $job.RefusedConnections | Should -Be 0
        $heads = $sizes | ForEach-Object { "HTTP/1.1 200 OK`r`nContent-Length: $_`r`nConnection: close`r`n`r`n".Length }
        $job.BytesReceived | Should -Be (($sizes | Measure-Object -Sum).Sum + ($heads | Measure-Object -Sum).Sum)
        $job.BytesSent | Should -BeGreaterThan 100
    }

    It 'raises EventWritten for Register-ObjectEvent, with itself as sender' {
        $job = Start-TestJob $Type $origin.Address
        $seen = [Collections.Concurrent.ConcurrentQueue[object]]::new()
        $watch = Register-ObjectEvent $job EventWritten -MessageData $seen -Action { $Event.MessageData.Enqueue([pscustomobject]@{ Number = $Event.EventIdentifier; Sender = $Sender; Written = $EventArgs.ProxyEvent }) }
        try {
            $null = Invoke-WebRequest "http://127.0.0.1:$(Get-EntryPort $job $origin.Address)/bytes/10"
            Wait-Until { $seen.Count -ge 2 }
            # PowerShell queues each event on a pool thread of its own, so actions may run out of order; its numbers are in order
            ($seen | Sort-Object Number).Written.Kind | Should -Be Opened, Closed
            $seen.ToArray()[0].Sender | Should -Be $job
            $seen.ToArray()[0].Written.Service | Should -Be $job.Name
        }
        finally { $watch | Remove-Job -Force }
    }
}
