#Requires -Version 7.6
<#
.SYNOPSIS
Runs tests/pester against the staged module and writes "passed failed skipped" to a file, and what failed to another.
.NOTES
Ends with 3 when there is no Pester 5 and none can be installed.
#>
param([Parameter(Mandatory)] [string] $ResultFile, [Parameter(Mandatory)] [string] $FailureFile)

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$root = Split-Path $PSScriptRoot
$env:PROXYSHELL_MODULE = Join-Path $root out ProxyShell

function Get-Pester {
    Get-Module Pester -ListAvailable | Where-Object Version -GE ([version]'5.0') | Sort-Object Version -Descending | Select-Object -First 1
}

if (-not (Get-Pester) -and (Get-Command Install-PSResource -ErrorAction Ignore)) {
    Write-Host 'Pester 5 is missing; trying to install it'
    $install = Start-ThreadJob { Install-PSResource Pester -Version '[5.5,6.0)' -TrustRepository -Quiet -ErrorAction Ignore }
    $null = Wait-Job $install -Timeout 60
}
$pester = Get-Pester
if (-not $pester) { [Environment]::Exit(3) }
Import-Module $pester.Path

$configuration = New-PesterConfiguration
$configuration.Run.Path = Join-Path $root tests pester
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'Normal'
$configuration.Output.RenderMode = 'Plaintext'
# the tests inherit preferences; they are written for those of a fresh session
$ErrorActionPreference = $ProgressPreference = 'Continue'
$result = Invoke-Pester -Configuration $configuration
$bad = $result.FailedCount + $result.FailedBlocksCount + $result.FailedContainersCount
$left = $result.SkippedCount + $result.NotRunCount
Set-Content $ResultFile "$($result.PassedCount) $bad $left" -NoNewline
$result.Failed | ForEach-Object { "FAILED  $($_.ExpandedPath)"; "        | $($_.ErrorRecord)" } | Set-Content $FailureFile
exit [int]($bad -ne 0)
