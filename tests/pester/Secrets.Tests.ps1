# Keys are in no output: not in views, not in properties, not in exports, not in events, not in errors.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $key = New-ProxyKey
    $secret = $key.Reveal()
}

AfterAll { Remove-AllProxyJobs }

Describe 'secrets' {
    It 'stay hidden in <Name>' -ForEach @(
        @{ Name = 'a key'; Make = { $key } }
        @{ Name = 'a hop'; Make = { New-ProxyHop "relay://$secret@host:1" } }
        @{ Name = 'a chain'; Make = { New-ProxyChain "relay://$secret@host:1", 'relay://b:2' } }
        @{ Name = 'a chain with a payload key'; Make = { New-ProxyChain relay://a:1, relay://b:2 -PayloadKey $secret } }
        @{ Name = 'a proxy server'; Make = { Start-ProxyServer -Key $secret -PayloadKey $secret } }
        @{ Name = 'an access listener'; Make = { Start-AccessListener 127.0.0.1:80 -Chain "relay://$secret@host:1" } }
        @{ Name = 'a gateway'; Make = { Start-TunnelGateway -Token $secret } }
        @{ Name = 'a tunnel'; Make = { Register-Tunnel (Start-TunnelGateway -Token $secret) http://127.0.0.1:80 -Token $secret -IdentityFile (New-TunnelIdentity "$TestDrive/a.pem").Path } }
        @{ Name = 'a test result'; Make = { Test-ProxyChain "relay://$secret@127.0.0.1:$(Get-ClosedPort)" -ErrorAction SilentlyContinue } }
        @{ Name = 'an event'; Make = { $null = Start-ProxyServer -Key $secret; Get-ProxyEvent } }
    ) {
        $shown = (Show-Everything (& $Make)) -join "`n"
        $shown.Length | Should -BeGreaterThan 20
        $shown.Contains($secret) | Should -BeFalse -Because "the key must not be in: $shown"
    }

    It 'stay hidden in errors' {
        $broken = $secret.Substring(1)
        $null = New-ProxyHop "relay://$broken@host:1" -ErrorAction SilentlyContinue -ErrorVariable +problems
        $null = New-ProxyChain "relay://$secret@host" -ErrorAction SilentlyContinue -ErrorVariable +problems
        $null = Start-ProxyServer -Key $broken -ErrorAction SilentlyContinue -ErrorVariable +problems
        $null = Start-ProxyServer -PayloadKey $broken -ErrorAction SilentlyContinue -ErrorVariable +problems
        $null = New-ProxyChain relay://a:1 -PayloadKey $broken -ErrorAction SilentlyContinue -ErrorVariable +problems
        $null = New-ProxyKey -Text $broken -ErrorAction SilentlyContinue -ErrorVariable +problems
        $null = Test-ProxyChain "relay://$secret@127.0.0.1:$(Get-ClosedPort)" -ErrorAction SilentlyContinue -ErrorVariable +problems
        $null = Start-AccessListener 127.0.0.1:80 -Chain "relay://$secret@host", 'x' -ErrorAction SilentlyContinue -ErrorVariable +problems
        $problems.Count | Should -Be 8
        foreach ($problem in $problems) {
            # the command line that failed is the user's own and PowerShell's to show
            $shown = "$problem $($problem.Exception) $($problem.TargetObject) $($problem.CategoryInfo) $($problem.ErrorDetails)"
            $shown.Contains($broken) | Should -BeFalse -Because $shown
        }
    }

    It 'are shown only when asked for' { $key.Reveal() | Should -Match '^[\w-]{43}$' }
}
