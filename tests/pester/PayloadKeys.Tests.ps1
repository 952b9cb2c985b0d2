# Payload keys: what passes between client and last hop is sealed, chains keep their key, and nobody shows it.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()
    $key = New-ProxyKey
    $other = New-ProxyKey
}

AfterAll { $origin.Dispose() }

Describe 'a chain with a payload key' {
    AfterEach { Remove-AllProxyJobs }

    It 'carries a download through three hops of which the last has the key as <_>' -ForEach 'PayloadKey', 'Key' {
        $with = @{ $_ = $key }
        $p1 = Start-ProxyServer; $p2 = Start-ProxyServer; $p3 = Start-ProxyServer @with
        $chain = $p1, $p2, $p3 | New-ProxyChain -PayloadKey $key
        (Test-ProxyChain $chain -Destination $origin.Address).Status | Should -Be Ok, Ok, Ok, Ok
        $web = Start-AccessListener $origin.Address -Chain $chain
        $file = Join-Path $TestDrive file
        Invoke-WebRequest "http://127.0.0.1:$($web.LocalPort)/bytes/5000000" -OutFile $file
        (Get-FileHash $file).Hash | Should -Be ([ProxyShellTests.Origin]::HashOf(5000000))
    }

    It 'seals what hop 2 passes on and not what the last hop sends to the destination' {
        $p1 = Start-ProxyServer; $p2 = Start-ProxyServer; $p3 = Start-ProxyServer -PayloadKey $key
        $web = Start-AccessListener $origin.Address -Chain ($p1, $p2, $p3 | New-ProxyChain -PayloadKey $key)
        $null = Invoke-WebRequest "http://127.0.0.1:$($web.LocalPort)/bytes/100000"
        Wait-Until { @(Get-ProxyEvent $web, $p2, $p3 -Kind Closed).Count -eq 3 }
        $bytes = foreach ($job in $web, $p2, $p3) { (Get-ProxyEvent $job -Kind Closed).BytesReceived }
        $bytes[1] | Should -BeGreaterThan $bytes[0] -Because 'sealed records are longer than what is in them'
        $bytes[2] | Should -Be $bytes[0]
    }

    It 'is refused by a last hop with another one' {
        $p1 = Start-ProxyServer; $p2 = Start-ProxyServer; $p3 = Start-ProxyServer -PayloadKey $key
        $chain = $p1, $p2, $p3 | New-ProxyChain -PayloadKey $other
        $results = Test-ProxyChain $chain -Destination $origin.Address -ErrorAction SilentlyContinue -ErrorVariable problem
        $results.Status | Should -Be Ok, Ok, Ok, Failed
        $problem.Count | Should -Be 1
        "$($problem[0])" | Should -Be "hop 3 (127.0.0.1:$($p3.LocalPort)): wrong payload key"
        $problem[0].CategoryInfo.Category | Should -Be AuthenticationError
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'AuthenticationFailed,*'
        $problem[0].ErrorDetails.RecommendedAction | Should -BeLike '*-PayloadKey*'
    }

    It 'takes the key as <_>' -ForEach 'ProxyKey', 'text', 'SecureString' {
        $given = switch ($_) { ProxyKey { $key } text { $key.Reveal() } SecureString { ConvertTo-SecureString $key.Reveal() -AsPlainText -Force } }
        (New-ProxyChain relay://a:1 -PayloadKey $given).PayloadKey | Should -Be $key
        { Start-ProxyServer -PayloadKey $given, $other -ErrorAction Stop } | Should -Not -Throw
    }

    It 'takes what is no key neither for one nor for none' -ForEach "New-ProxyChain relay://a:1 -PayloadKey 'hunter2'", "New-ProxyChain relay://a:1 -PayloadKey ''",
    "Start-ProxyServer -PayloadKey 'hunter2'", "Start-ProxyServer -PayloadKey ''" {
        $output = & ([scriptblock]::Create("$_ 2>&1"))
        @($output).Count | Should -Be 1
        $problem = $output[0]
        $problem | Should -BeOfType System.Management.Automation.ErrorRecord
        $problem.FullyQualifiedErrorId | Should -BeLike 'InvalidKey,*'
        "$problem$($problem.TargetObject)" | Should -Not -BeLike '*hunter2*'
        Get-Job | Should -BeNullOrEmpty
    }
}

Describe 'a payload key' {
    BeforeAll {
        $sealed = New-ProxyChain relay://a:1 -PayloadKey $key
        $otherwise = New-ProxyChain relay://b:2 -PayloadKey $other
        $plain = New-ProxyChain relay://c:3
    }

    It 'stays in <Name>' -ForEach @(
        @{ Name = '$a + $b'; Make = { $sealed + $plain }; Count = 2 }
        @{ Name = '$b + $a'; Make = { $plain + $sealed }; Count = 2 }
        @{ Name = '$a + hop'; Make = { $sealed + (New-ProxyHop relay://d:4) }; Count = 2 }
        @{ Name = 'Add-ProxyHop'; Make = { $sealed | Add-ProxyHop relay://d:4 }; Count = 2 }
        @{ Name = 'Add-ProxyHop of a chain'; Make = { $plain | Add-ProxyHop $sealed }; Count = 2 }
        @{ Name = 'Add-ProxyHop of a chain with another'; Make = { $otherwise | Add-ProxyHop $sealed }; Count = 2 }
        @{ Name = 'New-ProxyChain'; Make = { $sealed, 'relay://d:4' | New-ProxyChain }; Count = 2 }
        @{ Name = 'New-ProxyChain with arguments'; Make = { New-ProxyChain $sealed, relay://d:4 }; Count = 2 }
        @{ Name = 'New-ProxyChain, the last one'; Make = { $otherwise, $sealed, $plain | New-ProxyChain }; Count = 3 }
        @{ Name = 'New-ProxyChain, the one said'; Make = { $otherwise, $plain | New-ProxyChain -PayloadKey $key }; Count = 2 }
        @{ Name = 'an array given as a chain'; Make = { Add-ProxyHop relay://d:4 -Chain ($otherwise, $sealed, $plain) }; Count = 4 }
    ) {
        $chain = & $Make
        $chain.PayloadKey | Should -Be $key
        $chain.Count | Should -Be $Count
    }

    It 'is in no chain that was given none' { ($plain + $plain | Add-ProxyHop relay://d:4).PayloadKey | Should -BeNullOrEmpty }

    It 'shows as sealed, in the table' {
        $sealed | Out-String | Should -Match 'Payload +Hops(.|\n)*1 +sealed +relay://a:1'
        $plain | Out-String | Should -Match '1 +relay://c:3'
    }

    It 'is shown by no view' {
        $shown = (Show-Everything $sealed) -join "`n"
        $shown += $sealed | Format-List * | Out-String -Width 500
        $shown += $sealed | Out-String -Width 500
        $shown | Should -Match 'PayloadKey'
        $shown.Contains($key.Reveal()) | Should -BeFalse
    }
}

Describe 'two hops' {
    It 'add up to a chain' {
        $chain = (New-ProxyHop relay://a:1) + (New-ProxyHop relay://b:2)
        $chain | Should -BeOfType ProxyShell.Engine.Chains.ProxyChain
        "$chain" | Should -Be 'relay://a:1 > relay://b:2'
    }
}
