#!/usr/bin/env pwsh
#Requires -Version 7.6
<#
.SYNOPSIS
Builds, tests and shows ProxyShell.
.DESCRIPTION
The same tasks as build.sh; see ./build.ps1 help.
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [string] $Task = 'help',

    [Parameter(Position = 1, ValueFromRemainingArguments)]
    [string[]] $Arguments = @()
)

Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false
$env:DOTNET_NOLOGO = $env:DOTNET_CLI_TELEMETRY_OPTOUT = $env:DOTNET_SKIP_FIRST_TIME_EXPERIENCE = '1'
Set-Location $PSScriptRoot

$script:Passed = $script:Failed = $script:Skipped = 0

function Stop-Build([string] $Message) {
    [Console]::Error.WriteLine("build.ps1: $Message")
    exit 1
}

function Show-Usage {
    @'
usage: pwsh ./build.ps1 TASK      (or ./build.sh TASK, the same tasks)

  build      compile everything (Release)
  demo       download through three proxy servers and a tunnel on this machine, compare checksums, show a broken hop
  test       all tests; the last line sums them up
  bench      measure beside the peers that are installed; further arguments go to the bench
  package    stage the module in out/ProxyShell and the Host in out/host
  help       this text
'@
}

function Assert-Sdk {
    if (-not (Get-Command dotnet -CommandType Application -ErrorAction Ignore)) {
        Stop-Build 'the .NET 10 SDK is missing: https://dotnet.microsoft.com/download'
    }
    if ($env:DOTNET_ROOT) { return }
    # the Host finds its runtime where this SDK has it, wherever that is
    $runtime = dotnet --list-runtimes | Select-String '^Microsoft\.NETCore\.App 10\.[^[]*\[(.*)[/\\]shared[/\\]Microsoft\.NETCore\.App\]$' | Select-Object -Last 1
    if (-not $runtime) { Stop-Build 'there is a dotnet but no .NET 10 runtime: https://dotnet.microsoft.com/download' }
    $env:DOTNET_ROOT = $runtime.Matches[0].Groups[1].Value
}

function Invoke-Dotnet([string] $What) {
    & dotnet @args --nologo -v quiet | Out-Host
    if ($LASTEXITCODE -ne 0) { Stop-Build "$What failed" }
}

function Remove-Output([string[]] $Path) {
    Remove-Item $Path -Recurse -Force -ErrorAction Ignore
}

function Publish-ProxyHost {
    Remove-Output out/host
    Invoke-Dotnet 'publishing the Host' publish src/ProxyShell.Host -c Release -o out/host
}

function Publish-Package {
    Remove-Output out/publish, out/ProxyShell
    Invoke-Dotnet 'publishing the module' publish src/ProxyShell -c Release -o out/publish
    $version = (Import-PowerShellDataFile ProxyShell.psd1).ModuleVersion
    $stage = New-Item "out/ProxyShell/$version" -ItemType Directory -Force
    Copy-Item ProxyShell.psd1, LICENSE, out/publish/ProxyShell.dll, out/publish/ProxyShell.Engine.dll, src/ProxyShell/*.ps1xml $stage
    Copy-Item en-US $stage -Recurse
    Remove-Output out/publish
    Publish-ProxyHost
    Write-Host "module: out/ProxyShell/$version"
    Write-Host 'Host:   out/host/proxyshell'
}

# a suite that fails without saying so, or runs nothing, counts as a failure
function Add-Result([string] $Suite, [int] $Ok, [int] $Bad, [int] $Left, [int] $Status) {
    if ($Bad -eq 0 -and ($Status -ne 0 -or $Ok + $Left -eq 0)) {
        Write-Host "${Suite}: FAILED: it ended with status $Status after $Ok passed tests"
        $Bad = 1
    }
    $script:Passed += $Ok
    $script:Failed += $Bad
    $script:Skipped += $Left
}

function Add-Skip([string] $Suite, [string] $Why) {
    Write-Host "${Suite}: skipped: $Why"
    $script:Skipped++
}

# PowerShell of this very kind, in a process of its own: it loads the module, and a module cannot be unloaded
function Invoke-PowerShell([string[]] $Words, [int] $Minutes) {
    $pwsh = [System.Diagnostics.ProcessStartInfo]::new((Get-Process -Id $PID).Path)
    # as a .NET tool PowerShell runs in dotnet
    if ([IO.Path]::GetFileNameWithoutExtension($pwsh.FileName) -eq 'dotnet') { $pwsh.ArgumentList.Add((Join-Path $PSHOME pwsh.dll)) }
    foreach ($word in '-NoLogo', '-NoProfile', '-NonInteractive' + $Words) { $pwsh.ArgumentList.Add($word) }
    $pwsh.WorkingDirectory = $PSScriptRoot
    $process = [System.Diagnostics.Process]::Start($pwsh)
    try {
        if ($process.WaitForExit([TimeSpan]::FromMinutes($Minutes))) { return $process.ExitCode }
        Write-Host "$($Words[1]) did not end within $Minutes minutes and is stopped."
        return 124
    } finally {
        # Ctrl+C comes this way too
        if (-not $process.HasExited) { $process.Kill($true) }
        $process.Dispose()
    }
}

function Test-Dotnet([string] $Project) {
    Write-Host "== $Project"
    $null | & dotnet test "tests/$Project" -c Release --no-build --nologo --results-directory out/test --logger "trx;LogFileName=$Project.trx" `
        --blame-hang --blame-hang-timeout 5m --blame-hang-dump-type none | Out-Host
    $status = $LASTEXITCODE
    $total = $ok = $bad = 0
    if (Test-Path "out/test/$Project.trx") {
        $counters = ([xml](Get-Content "out/test/$Project.trx" -Raw)).TestRun.ResultSummary.Counters
        $total, $ok, $bad = $counters.total, $counters.passed, $counters.failed
    }
    Add-Result $Project $ok $bad ($total - $ok - $bad) $status
}

function Test-Pester {
    Write-Host '== pester'
    $status = Invoke-PowerShell '-File', 'build/Pester.ps1', '-ResultFile', 'out/test/pester.txt', '-FailureFile', 'out/test/pester-failures.txt' -Minutes 15
    if ($status -eq 3) {
        Add-Skip pester 'the module Pester 5 is missing and could not be installed'
        return
    }
    $counts = (Test-Path out/test/pester.txt) ? (Get-Content out/test/pester.txt -Raw).Split() : (0, 0, 0)
    Add-Result pester $counts[0] $counts[1] $counts[2] $status
}

# what failed, once more where it is not far to look for: the tests' names, and the first lines of why
function Show-Failure {
    foreach ($file in Get-ChildItem out/test/*.trx) {
        foreach ($result in ([xml](Get-Content $file -Raw)).TestRun.Results.UnitTestResult | Where-Object outcome -EQ 'Failed') {
            Write-Host "FAILED  $($result.testName)"
            $why = "$($result.Output.ErrorInfo.Message)`n$($result.Output.ErrorInfo.StackTrace)"
            $why -split "`r?`n" | Select-Object -First 12 | ForEach-Object { Write-Host "        | $_" }
        }
    }
    if (Test-Path out/test/pester-failures.txt) { Get-Content out/test/pester-failures.txt | ForEach-Object { Write-Host $_ } }
    if (Test-Path out/test/interop.log) {
        $on = $false
        foreach ($line in Get-Content out/test/interop.log) {
            $on = $line.StartsWith('FAILED') -or ($on -and $line -match '^ +\|')
            if ($on) { Write-Host $line }
        }
    }
}

function Test-Interop {
    Write-Host '== interop'
    if ($IsWindows -or -not (Get-Command bash -CommandType Application -ErrorAction Ignore)) {
        Add-Skip interop 'it needs bash and the Unix peers'
        return
    }
    $lines = @($null | bash tests/interop/run.sh out/host/proxyshell 2>&1 | Tee-Object out/test/interop.log | ForEach-Object { Write-Host $_; "$_" })
    $status = $LASTEXITCODE
    $counts = ($lines | Select-Object -Last 1) -match '^(\d+) passed, (\d+) failed, (\d+) skipped$' ? $Matches : @{ 1 = 0; 2 = 0; 3 = 0 }
    Add-Result interop $counts[1] $counts[2] $counts[3] $status
}

function Invoke-Test {
    Invoke-Dotnet 'the build' build ProxyShell.sln -c Release
    Publish-Package
    Remove-Output out/test
    $null = New-Item out/test -ItemType Directory -Force
    Test-Dotnet ProxyShell.Engine.Tests
    Test-Dotnet ProxyShell.Tests
    Test-Pester
    Test-Interop
    if ($script:Failed) { Show-Failure }
    Write-Host "$script:Passed passed, $script:Failed failed, $script:Skipped skipped"
    exit [int]($script:Failed -ne 0)
}

function Invoke-Demo {
    Publish-Package
    exit (Invoke-PowerShell '-File', 'build/Demo.ps1' -Minutes 10)
}

switch ($Task) {
    'build' { Assert-Sdk; Invoke-Dotnet 'the build' build ProxyShell.sln -c Release }
    'demo' { Assert-Sdk; Invoke-Demo }
    'test' { Assert-Sdk; Invoke-Test }
    'bench' { Assert-Sdk; & dotnet run -c Release --project bench/ProxyShell.Bench -- @Arguments; exit $LASTEXITCODE }
    'package' { Assert-Sdk; Publish-Package }
    'help' { Show-Usage }
    default { Show-Usage; Stop-Build "there is no task '$Task'" }
}
