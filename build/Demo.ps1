#Requires -Version 7.6
<#
.SYNOPSIS
Shows on this machine what chains and tunnels do: downloads through three proxy servers and through a tunnel to them, and a broken hop.
.DESCRIPTION
Uses the staged module (out/ProxyShell). Ends with 0 when the checksums are equal, the broken hop and the name that is gone are told of, and
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

# downloads the file, shows something half-way, and says whether the checksums are equal
function Test-Download([int] $Port, [string] $HostName, [scriptblock] $HalfWay) {
    $http = [Net.Http.HttpClient]::new([Net.Http.SocketsHttpHandler]@{ UseProxy = $false })
    $http.Timeout = [TimeSpan]::FromMinutes(1)
    $request = [Net.Http.HttpRequestMessage]::new('GET', "http://127.0.0.1:$Port/file")
    if ($HostName) { $request.Headers.Host = $HostName }
    $response = $http.SendAsync($request, 'ResponseHeadersRead').GetAwaiter().GetResult().EnsureSuccessStatusCode()
    $body = $response.Content.ReadAsStream()
    $hash = [Security.Cryptography.IncrementalHash]::CreateHash('SHA256')
    $buffer = [byte[]]::new(1MB)
    for ($total = 0; ($count = $body.Read($buffer, 0, $buffer.Length)) -gt 0; $total += $count) {
        if ($total -lt $fileLength / 2 -and $total + $count -ge $fileLength / 2) { & $HalfWay }
        $hash.AppendData($buffer, 0, $count)
    }
    $http.Dispose()
    $received = [Convert]::ToHexStringLower($hash.GetHashAndReset())
    Write-Host "`nSHA-256 at the origin  $expected"
    Write-Host "SHA-256 as received    $received  $($received -eq $expected ? 'equal' : 'DIFFERENT')`n"
    $received -eq $expected
}

$identityFile = Join-Path ([IO.Path]::GetTempPath()) "proxyshell-demo-$PID.pem"
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
    $equal = Test-Download $web.LocalPort '' { Get-ProxyConnection | Show-Table }

    $identity = New-TunnelIdentity -Path $identityFile
    $gate = Start-TunnelGateway -Name gate -ControlPort 0 -HttpPort 0 -AuthorizedKey $identity.Thumbprint
    $blog = Register-Tunnel $gate.Uri "http://127.0.0.1:$($web.LocalPort)" -Name blog -HostName blog -IdentityFile $identityFile
    Write-Host "$($blog.Url)/file, $($fileLength / 1MB) MiB through gateway, agent and chain; tunnels and connections half-way:"
    $published = Test-Download $gate.HttpPort "$($blog.HostName):$($gate.HttpPort)" { Get-Tunnel | Show-Table; Write-Host; Get-ProxyConnection | Show-Table }
    $name = $blog.HostName
    $blog | Unregister-Tunnel
    $gone = Invoke-WebRequest "http://127.0.0.1:$($gate.HttpPort)/file" -Headers @{ Host = $name } -SkipHttpErrorCheck -NoProxy
    Write-Host "blog is withdrawn; the gateway says now: $($gone.StatusCode), $("$($gone.Content)".Trim())`n"

    $whole = Test-ProxyChain $chain -Destination "127.0.0.1:$originPort"
    $whole | Show-Table
    $p2 | Stop-Job
    Write-Host "`np2 is stopped; the same test again:`n"
    $broken = Test-ProxyChain $chain -Destination "127.0.0.1:$originPort" -ErrorAction SilentlyContinue
    $broken | Show-Table
    $named = "$(($broken | Where-Object Status -EQ Failed).Error.Message)" -eq "hop 2 ($($chain.Hops[1].Endpoint)): connection refused"
} finally {
    Get-Job | Where-Object Name -In p1, p2, p3, web, gate, blog | Stop-Job -PassThru | Remove-Job
    $listener.Stop()
    $origin | Remove-Job -Force
    Remove-Item $identityFile -ErrorAction Ignore
}
$clean = -not (Get-ProxyConnection) -and -not (Get-Job)
Write-Host "`n$($clean ? 'everything is stopped, no connection is left' : 'connections or jobs are LEFT after the stop')"
$ok = $equal -and $published -and $gone.StatusCode -eq 404 -and @($whole | Where-Object Status -NE Ok).Count -eq 0 -and $named -and $clean
Write-Host ($ok ? 'demo: ok' : 'demo: FAILED')
exit [int](-not $ok)
