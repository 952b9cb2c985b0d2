# No listener outlives the session that started it, and every session sees what the process listens on.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()

    # Runs a script in a runspace of its own; gives its output and leaves the runspace open.
    function Invoke-In([runspace] $Runspace, [string] $Script, $Argument) {
        $shell = [powershell]::Create($Runspace)
        try {
            $shell.AddScript("param(`$module, `$argument) Import-Module `$module; $Script").AddArgument($modulePath).AddArgument($Argument).Invoke()
            if ($shell.HadErrors) { throw $shell.Streams.Error[0] }
        }
        finally { $shell.Dispose() }
    }
}

AfterAll { $origin.Dispose() }

Describe 'sessions' {
    BeforeEach {
        $other = [runspacefactory]::CreateRunspace([initialsessionstate]::CreateDefault2())
        $other.Open()
    }

    AfterEach {
        $other.Dispose()
        Remove-AllProxyJobs
    }

    It 'closing a runspace ends its listeners, and only those' {
        $mine = Start-ProxyServer
        $jobs = Invoke-In $other "Start-ProxyServer; Start-AccessListener $($origin.Address)"
        $jobs.Count | Should -Be 2
        foreach ($job in $jobs) { Test-Listening $job.LocalPort | Should -BeTrue }
        $other.Close()
        foreach ($job in $jobs) {
            Test-Listening $job.LocalPort | Should -BeFalse
            $job.JobStateInfo.State | Should -Be Stopped
        }
        Test-Listening $mine.LocalPort | Should -BeTrue
    }

    It 'closing a runspace does not wait for open connections' {
        $job = (Invoke-In $other "Start-AccessListener $($origin.Address) -StopTimeout 60")[0]
        $download = [ProxyShellTests.Download]::new($job.LocalPort, '/endless')
        Wait-Until { $download.Bytes -gt 1MB }
        (Measure-Command { $other.Close() }).TotalSeconds | Should -BeLessThan 5
        Wait-Until { $download.IsEnded }
        $download.Dispose()
    }

    It 'Remove-Module ends the listeners of its session, and only those' {
        $mine = Start-ProxyServer
        $job = (Invoke-In $other 'Start-ProxyServer')[0]
        $null = Invoke-In $other 'Remove-Module ProxyShell'
        Test-Listening $job.LocalPort | Should -BeFalse
        Test-Listening $mine.LocalPort | Should -BeTrue
        (Invoke-In $other "(Get-Job -Id $($job.Id)).State; Get-Job | Remove-Job") | Should -Be Stopped
        $again = (Invoke-In $other 'Start-ProxyServer; Get-Job')
        $again.Count | Should -Be 2 -Because 'after a new import the module works as before'
        $again[0] | Should -Be $again[1]
    }

    It 'an exiting process ends its listeners' {
        $pwsh = (Get-Process -Id $PID).Path
        $port = & $pwsh -NoProfile -NonInteractive -Command "Import-Module '$modulePath'; (Start-ProxyServer).LocalPort"
        $LASTEXITCODE | Should -Be 0
        Test-Listening ([int]$port) | Should -BeFalse
    }

    It 'shows the connections and events of all sessions of the process, but the jobs of its own' {
        $job = (Invoke-In $other "Start-AccessListener $($origin.Address) -Name elsewhere")[0]
        $download = [ProxyShellTests.Download]::new($job.LocalPort, '/endless')
        Wait-Until { $download.Bytes -gt 1MB }
        (Get-ProxyConnection).Service | Should -Be elsewhere
        (Get-ProxyConnection -Job elsewhere).BytesReceived | Should -BeGreaterThan 1MB
        (Get-ProxyEvent -Job elsewhere).Kind | Should -Contain Opened
        Get-Job | Should -Not -Contain $job
        Get-ProxyConnection | Stop-ProxyConnection
        Wait-Until { $download.IsEnded }
        $download.Dispose()
    }

    It 'works from ForEach-Object -Parallel' {
        $chain = New-ProxyChain (Start-ProxyServer)
        $address = $origin.Address
        $results = 1..4 | ForEach-Object -Parallel {
            Import-Module $using:modulePath
            $listener = Start-AccessListener $using:address -Chain $using:chain
            (Invoke-WebRequest "http://127.0.0.1:$($listener.LocalPort)/bytes/1000").RawContentLength
            $listener.LocalPort
        }
        @($results | Where-Object { $_ -eq 1000 }).Count | Should -Be 4
        $results | Where-Object { $_ -ne 1000 } | ForEach-Object { Test-Listening $_ | Should -BeFalse -Because 'the parallel sessions are over' }
    }

    It 'takes a job as a hop in another session' {
        $p1 = Start-ProxyServer
        (Invoke-In $other 'Test-ProxyChain $argument' $p1).Status | Should -Be Ok
    }
}
