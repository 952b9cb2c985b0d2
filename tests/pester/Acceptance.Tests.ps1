# The script of the first issue as a user would type it, with a small origin.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()
    $originPort = $origin.Port
    $curl = Get-Command curl -CommandType Application -ErrorAction Ignore | Select-Object -First 1
}

AfterAll {
    Remove-AllProxyJobs
    $origin.Dispose()
}

Describe 'the first chain' {
    It 'carries a download, shows its hops and connections, and is cleared away' {
        $key = New-ProxyKey
        $p1 = Start-ProxyServer; $p2 = Start-ProxyServer -Key $key; $p3 = Start-ProxyServer
        $chain = $p1, $p2, $p3 | New-ProxyChain
        $web = Start-AccessListener -Destination "127.0.0.1:$originPort" -Chain $chain

        $size = 20MB
        $url = "http://127.0.0.1:$($web.LocalPort)/bytes/$size"
        if ($curl) { & $curl -s $url -o (Join-Path $TestDrive file) } else { Invoke-WebRequest $url -OutFile (Join-Path $TestDrive file) }
        (Get-FileHash (Join-Path $TestDrive file)).Hash | Should -Be ([ProxyShellTests.Origin]::HashOf($size))

        $table = Test-ProxyChain $chain -Destination "127.0.0.1:$originPort" | Format-Table | Out-String -Width 200
        $table | Should -Match "1 +127\.0\.0\.1:$($p1.LocalPort) .*Ok(.|\n)*2 +127\.0\.0\.1:$($p2.LocalPort) .*Ok(.|\n)*dest +127\.0\.0\.1:$originPort .*Ok"

        $download = [ProxyShellTests.Download]::new($web.LocalPort, '/endless')
        Wait-Until { $download.Bytes -gt 2MB }
        Get-ProxyConnection | Where-Object BytesReceived -GT 1MB | Stop-ProxyConnection
        Wait-Until { $download.IsEnded }
        Wait-Until { -not (Get-ProxyConnection) }

        Get-Job | Stop-Job; Get-Job | Remove-Job
        Get-Job | Should -BeNullOrEmpty
        foreach ($job in $p1, $p2, $p3, $web) { Test-Listening $job.LocalPort | Should -BeFalse }
    }
}
