# Use-ProxyChain: what the block sees, what comes out of it, and that everything is as it was afterwards.

BeforeDiscovery {
    $hasCurl = [bool](Get-Command curl -CommandType Application -ErrorAction Ignore)
    $hasGit = [bool](Get-Command git -CommandType Application -ErrorAction Ignore)
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $names = 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy' | ForEach-Object { $_; $_.ToUpperInvariant() }

    # All that the cmdlet changes, as text.
    function Get-ProxySettings {
        foreach ($name in $names) { "$name=$([Environment]::GetEnvironmentVariable($name))" }
        foreach ($key in $PSDefaultParameterValues.Keys | Sort-Object) { "$key=$($PSDefaultParameterValues[$key])" }
        [Net.Http.HttpClient]::DefaultProxy.GetHashCode()
        @(Get-Job).Count
    }
}

Describe 'Use-ProxyChain' {
    BeforeEach {
        foreach ($name in $names) { [Environment]::SetEnvironmentVariable($name, $null) }
        $env:http_proxy = 'http://before.example:1'
        $env:NO_PROXY = 'before.example'
        $PSDefaultParameterValues.Clear()
        $PSDefaultParameterValues['Invoke-*:Proxy'] = 'http://before.example:2'
        $PSDefaultParameterValues['Out-String:Width'] = 200
        $before = Get-ProxySettings
    }

    AfterEach {
        Get-ProxySettings | Should -Be $before
        $PSDefaultParameterValues.Clear()
        foreach ($name in $names) { [Environment]::SetEnvironmentVariable($name, $null) }
        Remove-AllProxyJobs
    }

    It 'sets the variables in both cases, with a credential made at random' {
        $seen = Use-ProxyChain direct { [Environment]::GetEnvironmentVariables(); Get-Job }
        $port = $seen[1].LocalPort
        $login = [uri]::new($seen[0]['http_proxy']).UserInfo
        $login | Should -Match '^proxyshell:[0-9a-f]{32}$'
        foreach ($name in 'http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY') { $seen[0][$name] | Should -Be "http://$login@127.0.0.1:$port" }
        foreach ($name in 'all_proxy', 'ALL_PROXY') { $seen[0][$name] | Should -Be "socks5h://$login@127.0.0.1:$port" }
        foreach ($name in 'no_proxy', 'NO_PROXY') { $seen[0].Contains($name) | Should -BeFalse }
        (Use-ProxyChain direct { $env:http_proxy }) | Should -Not -BeLike "*$login*"
    }

    It 'sets the defaults of the web cmdlets, and puts patterns aside' {
        $seen = Use-ProxyChain direct { $PSDefaultParameterValues.Clone() }
        $seen.Keys | Should -Not -Contain 'Invoke-*:Proxy'
        $seen['Out-String:Width'] | Should -Be 200
        foreach ($cmdlet in 'Invoke-WebRequest', 'Invoke-RestMethod') {
            $seen["${cmdlet}:Proxy"] | Should -BeLike 'http://127.0.0.1:*'
            $seen["${cmdlet}:ProxyCredential"].UserName | Should -Be proxyshell
        }
    }

    It 'asks for no credential with -AllowAnonymous' {
        Use-ProxyChain direct -AllowAnonymous { $env:https_proxy; $PSDefaultParameterValues.Keys -like '*ProxyCredential' } | Should -Match '^http://127\.0\.0\.1:\d+/?$'
    }

    It 'runs the block in the scope of its caller' {
        $outer = 1
        'item' | ForEach-Object { Use-ProxyChain direct { $outer++; $made = $_ } }
        $outer | Should -Be 2
        $made | Should -Be item
    }

    It 'passes output on as it comes' {
        $seen = [Collections.Generic.List[string]]::new()
        Use-ProxyChain direct { $seen.Add('a'); 1; $seen.Add('b'); 2 } | ForEach-Object { $seen.Add("$_") }
        $seen | Should -Be a, 1, b, 2
    }

    It 'passes errors and warnings on, also when they are merged' {
        $merged = Use-ProxyChain direct { Write-Error one; Write-Warning two; 3 } 2>&1 3>&1
        $merged.ForEach({ $_.GetType().Name }) | Should -Be ErrorRecord, WarningRecord, Int32
        Use-ProxyChain direct { Write-Error one; 3 } -ErrorVariable problem 2> $null | Should -Be 3
        $problem | Should -HaveCount 1
    }

    It 'ends with the block: <Name>' -ForEach @(
        @{ Name = 'an error'; Block = { Use-ProxyChain direct { throw 'over' } }; Thrown = 'over' }
        @{ Name = 'a statement that fails'; Block = { Use-ProxyChain direct { Get-Item /no/such/file -ErrorAction Stop } }; Thrown = '*no/such*' }
        @{ Name = 'break'; Block = { foreach ($i in 1, 2) { Use-ProxyChain direct { break } } } }
        @{ Name = 'continue'; Block = { foreach ($i in 1, 2) { Use-ProxyChain direct { continue } } } }
        @{ Name = 'return'; Block = { Use-ProxyChain direct { return; throw 'not reached' } } }
        @{ Name = 'nobody who wants more'; Block = { Use-ProxyChain direct { 1; throw 'not reached' } | Select-Object -First 1 } }
        @{ Name = 'nothing at all'; Block = { Use-ProxyChain direct { } } }
        @{ Name = 'variables and defaults of its own'; Block = { Use-ProxyChain direct { $env:ALL_PROXY = 'x'; $PSDefaultParameterValues['Invoke-WebRequest:NoProxy'] = $true } } }
    ) {
        # AfterEach looks whether everything is as it was
        if ($Thrown) { { . $Block } | Should -Throw $Thrown } else { . $Block }
    }

    It 'nests' {
        Use-ProxyChain direct {
            $outer = Get-ProxySettings
            Use-ProxyChain direct { $env:http_proxy | Should -Not -Be $outer[0] }
            { Use-ProxyChain direct { throw 'inner' } } | Should -Throw inner
            Get-ProxySettings | Should -Be $outer
        }
    }

    It 'ends when the pipeline is stopped' {
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript('param($module, $ready) Import-Module $module; Use-ProxyChain direct { $ready.Set(); [Threading.Thread]::Sleep(1); while ($true) { Start-Sleep -Milliseconds 50 } }').AddArgument($modulePath)
            $ready = [Threading.ManualResetEventSlim]::new()
            $null = $shell.AddArgument($ready)
            $null = $shell.BeginInvoke()
            $ready.Wait(10000) | Should -BeTrue
            $env:http_proxy | Should -BeLike 'http://proxyshell:*'
            $null = Use-ProxyChain direct { 'never' } -ErrorAction SilentlyContinue -ErrorVariable problem
            $problem[0].FullyQualifiedErrorId | Should -BeLike 'ProxyVariablesInUse,*'
            $problem[0].CategoryInfo.Category | Should -Be ResourceBusy
            $problem[0].TargetObject | Should -Be direct
            $shell.Stop()
        }
        finally { $shell.Dispose() }
    }

    It 'refuses <Command>' -ForEach @(
        @{ Command = 'Use-ProxyChain nonsense { $ran = 1 }'; Id = 'InvalidChain'; Target = 'nonsense' }
        @{ Command = 'Use-ProxyChain http://me:hunter2@a/x { $ran = 1 }'; Id = 'InvalidChain'; Target = 'http://***@a/x' }
        @{ Command = 'Use-ProxyChain @() { $ran = 1 }'; Id = 'InvalidChain'; Target = $null }
        @{ Command = 'Use-ProxyChain direct -ConnectTimeout 0 { $ran = 1 }'; Id = 'InvalidOption'; Target = 'direct' }
    ) {
        $ran = 0
        Invoke-Expression "$Command -ErrorAction SilentlyContinue -ErrorVariable problem"
        $ran | Should -Be 0 -Because 'the block would go around the chain'
        $problem.Count | Should -Be 1
        $problem[0].FullyQualifiedErrorId | Should -BeLike "$Id,*"
        $problem[0].CategoryInfo.Category | Should -Be InvalidArgument
        "$($problem[0].TargetObject)" | Should -Be "$Target"
    }

    It 'never takes a missing chain for a direct one' { { Use-ProxyChain $null { 'never' } } | Should -Throw '*null*' }
}

Describe 'what goes through the chain' {
    BeforeAll {
        $origin = [ProxyShellTests.Origin]::new()
        $servers = (Start-ProxyServer -Protocol Socks5), (Start-ProxyServer -Key (New-ProxyKey)), (Start-ProxyServer -Protocol Http)
        $chain = $servers | New-ProxyChain
        # this machine too, but no proxy is used for 127.0.0.1, and without one 0.0.0.0 cannot be reached
        $url = "http://0.0.0.0:$($origin.Port)/bytes/1000"
        $curl, $git = foreach ($name in 'curl', 'git') { Get-Command $name -CommandType Application -ErrorAction Ignore | Select-Object -First 1 }
    }

    AfterAll {
        $origin.Dispose()
        Remove-AllProxyJobs
    }

    BeforeEach { $before = $servers.AcceptedConnections }

    AfterEach { (Compare-Object $before $servers.AcceptedConnections -SyncWindow 0 -IncludeEqual).SideIndicator | Should -Not -Contain '==' -Because 'every hop was passed' }

    It 'curl, by <_>' -Skip:(-not $hasCurl) -ForEach 'http_proxy', 'all_proxy' {
        $other = 'http_proxy', 'all_proxy' -ne $_
        $text = Use-ProxyChain $chain {
            [Environment]::SetEnvironmentVariable($other, $null)
            & $curl -sS --max-time 20 -w '%{size_download} %{http_code}' -o ([IO.Path]::Combine($TestDrive, 'curl')) $url
        }
        $text | Should -Be '1000 200'
    }

    It 'git' -Skip:(-not $hasGit) {
        # the origin is no git server; that git asked it is what counts
        $null = Use-ProxyChain $chain { & $git ls-remote "http://0.0.0.0:$($origin.Port)/tool.git" } 2>&1
        $origin.LastPath | Should -BeLike '/tool.git/*'
    }

    It 'Invoke-WebRequest and Invoke-RestMethod' -Skip:$IsWindows {
        Use-ProxyChain $chain { (Invoke-WebRequest $url).RawContentLength; (Invoke-RestMethod $url).Length } | Should -Be 1000, 1000
    }

    It 'HTTP clients of .NET' -Skip:$IsWindows {
        Use-ProxyChain $chain { [Net.Http.HttpClient]::new().GetByteArrayAsync($url).GetAwaiter().GetResult().Length } | Should -Be 1000
    }

    It 'a program that sends no credential, with -AllowAnonymous only' -Skip:(-not $hasCurl) {
        $ask = { & $curl -sS --max-time 20 -w '%{http_code}' -o ([IO.Path]::Combine($TestDrive, 'curl')) --proxy ($env:http_proxy -replace '//.*@', '//') $url }
        Use-ProxyChain $chain -AllowAnonymous $ask | Should -Be 200
        Use-ProxyChain $chain $ask | Should -Be 407
    }

    It 'all but what a rule lets out' -Skip:(-not $hasCurl) {
        $null = Use-ProxyChain $chain { & $curl -sS --max-time 20 $url }
        $direct = Use-ProxyChain relay://127.0.0.1:1 -Rule (New-ProxyRule 0.0.0.0 -Direct) { & $curl -sS --max-time 20 -w '%{http_code}' -o ([IO.Path]::Combine($TestDrive, 'curl')) $url }
        $direct | Should -Be 200
    }

    It 'and failures are told with -Verbose' -Skip:(-not $hasCurl) {
        $null = Use-ProxyChain $chain { & $curl -sS --max-time 20 $url }
        $told = Use-ProxyChain relay://127.0.0.1:1 -Verbose { & $curl -sS --max-time 20 $url | Out-Null } 4>&1
        "$told" | Should -BeLike '*hop 1 (127.0.0.1:1)*'
    }
}
