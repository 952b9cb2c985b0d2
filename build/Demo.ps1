#Requires -Version 7.6
<#
.SYNOPSIS
Shows on this machine what chains do: a download through three proxy servers, and a broken hop.
.DESCRIPTION
Uses the staged module (out/ProxyShell). Ends with 0 when the checksums are equal, the broken hop is named, and
everything stopped cleanly.
#>
Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$root = Split-Path $PSScriptRoot
Import-Module (Join-Path $root out ProxyShell)

$fileLength = 64MB

# a web server with one file of pseudo-random bytes
$content = [byte[]]::new($fileLength)
[Random]::new(20480).NextBytes($content)
$expected = [Convert]::ToHexStringLower([Security.Cryptography.SHA256]::HashData($content))
$listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
$listener.Start()
$originPort = $listener.LocalEndpoint.Port
$origin = Start-ThreadJob -Name origin -ArgumentList $listener, $content -ScriptBlock {
    param($Listener, $Content)
    $head = [Text.Encoding]::ASCII.GetBytes("HTTP/1.1 200 OK`r`nContent-Length: $($Content.Length)`r`nConnection: close`r`n`r`n")
    while ($true) {
        try { $client = $Listener.AcceptTcpClient() } catch { return }
        try {
            $stream = $client.GetStream()
            $reader = [IO.StreamReader]::new($stream)
            while ($reader.ReadLine()) { }
            $stream.Write($head)
            $stream.Write($Content)
        } catch {
            Write-Warning "a client left early: $_"
        } finally {
            $client.Dispose()
        }
    }
}

# tables as wide as they need to be, whatever the terminal
function Show-Table { $input | Format-Table @args -AutoSize | Out-String -Width 200 | ForEach-Object Trim | Write-Host }

try {
    $key = New-ProxyKey
    $p1 = Start-ProxyServer -Name p1
    $p2 = Start-ProxyServer -Name p2 -Key $key
    $p3 = Start-ProxyServer -Name p3
    $chain = $p1, $p2, $p3 | New-ProxyChain
    $web = Start-AccessListener -Name web -Destination "127.0.0.1:$originPort" -Chain $chain
    $jobs = $p1, $p2, $p3, $web
    $jobs | Show-Table Name, State, Uri

    Write-Host "`nhttp://127.0.0.1:$($web.LocalPort)/file, $($fileLength / 1MB) MiB through $($chain.Count) hops; the connections half-way:"
    $http = [Net.Http.HttpClient]::new([Net.Http.SocketsHttpHandler]@{ UseProxy = $false })
    $http.Timeout = [TimeSpan]::FromMinutes(1)
    $body = $http.GetStreamAsync("http://127.0.0.1:$($web.LocalPort)/file").GetAwaiter().GetResult()
    $hash = [Security.Cryptography.IncrementalHash]::CreateHash('SHA256')
    $buffer = [byte[]]::new(1MB)
    for ($total = 0; ($count = $body.Read($buffer, 0, $buffer.Length)) -gt 0; $total += $count) {
        if ($total -lt $fileLength / 2 -and $total + $count -ge $fileLength / 2) { Get-ProxyConnection | Show-Table }
        $hash.AppendData($buffer, 0, $count)
    }
    $http.Dispose()
    $received = [Convert]::ToHexStringLower($hash.GetHashAndReset())
    $equal = $received -eq $expected
    Write-Host "`nSHA-256 at the origin  $expected"
    Write-Host "SHA-256 as received    $received  $($equal ? 'equal' : 'DIFFERENT')`n"

    $whole = Test-ProxyChain $chain -Destination "127.0.0.1:$originPort"
    $whole | Show-Table
    $p2 | Stop-Job
    Write-Host "`np2 is stopped; the same test again:`n"
    $broken = Test-ProxyChain $chain -Destination "127.0.0.1:$originPort" -ErrorAction SilentlyContinue
    $broken | Show-Table
    $named = "$(($broken | Where-Object Status -EQ Failed).Error.Message)" -eq "hop 2 ($($chain.Hops[1].Endpoint)): connection refused"
} finally {
    Get-Job | Where-Object Name -In p1, p2, p3, web | Stop-Job -PassThru | Remove-Job
    $listener.Stop()
    $origin | Remove-Job -Force
}
$clean = -not (Get-ProxyConnection) -and -not (Get-Job)
Write-Host "`n$($clean ? 'everything is stopped, no connection is left' : 'connections or jobs are LEFT after the stop')"
$ok = $equal -and @($whole | Where-Object Status -NE Ok).Count -eq 0 -and $named -and $clean
Write-Host ($ok ? 'demo: ok' : 'demo: FAILED')
exit [int](-not $ok)
