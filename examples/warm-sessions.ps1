#Requires -Version 7.6
#Requires -Modules ProxyShell
<#
.SYNOPSIS
Asks a web server again and again through three hops over TLS: by connections of their own, and by channels of warm sessions.
.DESCRIPTION
Three proxy servers with a certificate on this machine; two access listeners lead through them, one with relays:// hops, the other with relays+mux:// hops. The
table shows what the requests took, and how many sockets the servers accepted for them.
.EXAMPLE
./warm-sessions.ps1 -Destination example.org:80 -Count 100
#>
param(
    [string] $Destination = 'example.org:80',
    [ValidateRange(1, 10000)] [int] $Count = 50
)
$ErrorActionPreference = 'Stop'

$request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=warm-sessions', [Security.Cryptography.ECDsa]::Create(), 'SHA256')
$certificate = $request.CreateSelfSigned([DateTimeOffset]::Now.AddHours(-1), [DateTimeOffset]::Now.AddDays(1))
$key = New-ProxyKey
$jobs = @()
try {
    $jobs += $servers = 1..3 | ForEach-Object { Start-ProxyServer -Certificate $certificate -Key $key }
    # a server as a hop brings its key and its certificate along
    $jobs += $plain = Start-AccessListener $Destination -Chain ($servers | New-ProxyChain)
    $jobs += $warm = Start-AccessListener $Destination -Chain ($servers | New-ProxyChain -Multiplexed)

    $results = foreach ($listener in $plain, $warm) {
        $before = ($servers | Measure-Object { $_.AcceptedConnections - $_.AcceptedChannels } -Sum).Sum
        $took = Measure-Command {
            for ($i = 0; $i -lt $Count; $i++) {
                $null = Invoke-WebRequest "http://127.0.0.1:$($listener.LocalPort)/" -Headers @{ Host = $Destination -replace ':\d+$' } -DisableKeepAlive -SkipHttpErrorCheck
            }
        }
        [pscustomobject]@{
            Hops     = $listener.Chain.Hops[0].Scheme
            Requests = $Count
            Seconds  = [math]::Round($took.TotalSeconds, 2)
            Sockets  = [int](($servers | Measure-Object { $_.AcceptedConnections - $_.AcceptedChannels } -Sum).Sum - $before)
        }
    }
    $results | Format-Table
    Get-ProxySession $warm | Format-Table
    Test-ProxyChain $warm.Chain | Format-Table
}
finally {
    $jobs | Remove-Job -Force
}
