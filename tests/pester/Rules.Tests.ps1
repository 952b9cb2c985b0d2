# New-ProxyRule, and listeners that go by rules.

BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'New-ProxyRule' {
    It 'makes a rule that <Action>s: <Text>' -ForEach @(
        @{ Action = 'Block'; Command = 'New-ProxyRule *.example.com, 10.0.0.0/8 -Port 25, 6000-6063 -Block'; Text = 'block *.example.com, 10.0.0.0/8 port 25, 6000-6063' }
        @{ Action = 'Direct'; Command = 'New-ProxyRule localhost -Direct'; Text = 'direct localhost' }
        @{ Action = 'Direct'; Command = 'New-ProxyRule -Direct -Port 443'; Text = 'direct `* port 443' }
        @{ Action = 'Chain'; Command = 'New-ProxyRule "[2001:db8::]/32:443" -Chain socks5://a, relay://b:2'; Text = 'socks5://a:1080 > relay://b:2 for `[2001:db8::`]/32:443' }
        @{ Action = 'Block'; Command = "'a', 'b' | New-ProxyRule -Block"; Text = 'block a, b' }
    ) {
        $rule = Invoke-Expression $Command
        @($rule).Count | Should -Be 1
        $rule | Should -BeOfType ProxyShell.Engine.Routing.ProxyRule
        $rule.Action | Should -Be $Action
        "$rule" | Should -BeLike $Text
    }

    It 'refuses <Command>' -ForEach @(
        @{ Command = 'New-ProxyRule 10.0.0.0/99 -Block'; Id = 'InvalidDestinationPattern'; Target = '10.0.0.0/99' }
        @{ Command = 'New-ProxyRule a -Port 99999 -Block'; Id = 'InvalidPort'; Target = '99999' }
        @{ Command = 'New-ProxyRule a -Port 443-80 -Direct'; Id = 'InvalidPort'; Target = '443-80' }
        @{ Command = 'New-ProxyRule a -Chain nonsense'; Id = 'InvalidChain'; Target = 'nonsense' }
        @{ Command = 'New-ProxyRule a -Chain direct'; Id = 'InvalidRule'; Target = 'direct' }
        @{ Command = "'a', '', 'b' | New-ProxyRule -Block"; Id = 'InvalidDestinationPattern'; Target = '' }
        @{ Command = "'a', `$null, 'b' | New-ProxyRule -Block"; Id = 'InvalidDestinationPattern'; Target = '' }
        @{ Command = '@() | New-ProxyRule -Direct'; Id = 'InvalidRule'; Target = $null }
        @{ Command = 'New-ProxyRule @() -Direct'; Id = 'InvalidRule'; Target = $null }
        @{ Command = 'New-ProxyRule $null -Direct'; Id = 'InvalidRule'; Target = $null }
    ) {
        Invoke-Expression "$Command -ErrorAction SilentlyContinue -ErrorVariable problem" | Should -BeNullOrEmpty -Because 'half a rule lets out what the whole one blocks'
        $problem.Count | Should -Be 1
        $problem[0].FullyQualifiedErrorId | Should -BeLike "$Id,*"
        $problem[0].CategoryInfo.Category | Should -Be InvalidArgument
        "$($problem[0].TargetObject)" | Should -Be "$Target"
    }

    It 'wants to know what happens' { { New-ProxyRule a -Block -Direct } | Should -Throw '*parameter set*' }

    It 'is shown in a table' {
        $table = (New-ProxyRule *.example.com -Block), (New-ProxyRule -Port 443 -Chain socks5://a) | Out-String -Width 100
        $table | Should -Match 'Action Destination +Port +Chain'
        $table | Should -Match '(?m)^Block +\*\.example\.com +\*\s*$'
        $table | Should -Match '(?m)^Chain +\* +443 +socks5://a:1080\s*$'
    }
}

Describe 'listeners with rules' {
    BeforeAll { $origin = [ProxyShellTests.Origin]::new() }

    AfterAll { $origin.Dispose() }

    AfterEach { Remove-AllProxyJobs }

    It 'take the way of the first rule that matches' {
        $server = Start-ProxyServer
        $rules = (New-ProxyRule 127.0.0.1 -Port $origin.Port -Chain $server), (New-ProxyRule 127.0.0.0/8 -Block)
        $open = Start-AccessListener $origin.Address -Rule $rules
        (Invoke-WebRequest "http://127.0.0.1:$($open.LocalPort)/").StatusCode | Should -Be 200
        $server.AcceptedConnections | Should -Be 1
        $closed = Start-AccessListener "127.0.0.1:$(Get-ClosedPort)" -Rule $rules
        { Invoke-WebRequest "http://127.0.0.1:$($closed.LocalPort)/" } | Should -Throw
        Wait-Until { Get-ProxyEvent -Job $closed -Reason Forbidden }
        (Get-ProxyEvent -Job $closed -Reason Forbidden).Message | Should -BeLike "*blocked by the rule 'block 127.0.0.0/8'*"
    }

    It 'let nothing else out with -BlockByDefault' {
        $server = Start-ProxyServer -Rule (New-ProxyRule *.example -Direct) -BlockByDefault
        $null = Test-ProxyChain $server -Destination $origin.Address -ErrorAction SilentlyContinue -ErrorVariable problem
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'Forbidden,*'
        $problem[0].CategoryInfo.Category | Should -Be PermissionDenied
    }

    It 'refuse <Command>' -ForEach @(
        @{ Command = 'Start-ProxyServer -Rule @()'; Because = 'list of rules is empty' }
        @{ Command = 'Start-AccessListener -Chain relay://a:1 -BlockByDefault'; Because = '-Chain would be for none' }
    ) {
        Invoke-Expression "$Command -ErrorAction SilentlyContinue -ErrorVariable problem" | Should -BeNullOrEmpty
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'InvalidRule,*'
        $problem[0].CategoryInfo.Category | Should -Be InvalidArgument
        "$($problem[0])" | Should -BeLike "*$Because*"
    }

    It 'never take a missing rule for none' { { Start-ProxyServer -Rule $null } | Should -Throw '*null*' }
}
