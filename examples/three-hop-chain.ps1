#Requires -Version 7.6
#Requires -Modules ProxyShell
<#
.SYNOPSIS
Three proxy servers on this machine, a chain through them, and a local port that leads to a web server.
.EXAMPLE
./three-hop-chain.ps1 -Destination example.org:80 -HostHeader example.org
#>
param(
    [string] $Destination = 'example.org:80',
    [string] $HostHeader = ($Destination -replace ':\d+$')
)
$ErrorActionPreference = 'Stop'

$key = New-ProxyKey
$jobs = @()
try {
    $servers = (Start-ProxyServer), (Start-ProxyServer -Key $key), (Start-ProxyServer)
    $jobs += $servers
    $chain = $servers | New-ProxyChain
    $jobs += $web = Start-AccessListener -Destination $Destination -Chain $chain

    Test-ProxyChain $chain -Destination $Destination | Format-Table
    $answer = Invoke-WebRequest "http://127.0.0.1:$($web.LocalPort)/" -Headers @{ Host = $HostHeader } -SkipHttpErrorCheck
    "$($answer.StatusCode) $($answer.StatusDescription), $($answer.RawContentLength) bytes"
    Get-ProxyEvent -Job $web -Kind Opened, Closed, Failed | Format-Table
}
finally {
    $jobs | Remove-Job -Force
}
