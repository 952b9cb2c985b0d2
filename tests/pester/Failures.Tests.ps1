# What breaks is named by the hop at fault: in the error of Test-ProxyChain, in the events of the access listener, at the client.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $origin = [ProxyShellTests.Origin]::new()

    # Tests the chain and gives the one error it must write.
    function Get-ChainError($Chain, $Destination) {
        $with = if ($Destination) { @{ Destination = $Destination } } else { @{} }
        $null = Test-ProxyChain $Chain @with -ErrorAction SilentlyContinue -ErrorVariable problems
        $problems.Count | Should -Be 1 -Because 'one thing is wrong, so there is one error'
        $problems[0]
    }

    # Connects through a listener on the chain and gives the event that tells why it failed.
    function Get-FailureEvent($Chain, [string] $Destination) {
        $listener = Start-AccessListener -Destination $Destination -Chain $Chain
        $client = [ProxyShellTests.Download]::new($listener.LocalPort, '/bytes/10')
        try {
            Wait-Until { $client.IsEnded }
            $client.Bytes | Should -Be 0
            Wait-Until { Get-ProxyEvent -Job $listener -Kind Failed }
            Get-ProxyEvent -Job $listener -Kind Failed
        }
        finally { $client.Dispose() }
    }
}

AfterAll { $origin.Dispose() }

Describe 'a chain with a fault' {
    AfterEach { Remove-AllProxyJobs }

    It 'names the stopped hop 2 of 3' {
        $p1, $p2, $p3 = 1..3 | ForEach-Object { Start-ProxyServer }
        $chain = $p1, $p2, $p3 | New-ProxyChain
        Stop-Job $p2
        $expected = "hop 2 (127.0.0.1:$($p2.LocalPort)): connection refused"

        $results = Test-ProxyChain $chain -ErrorAction SilentlyContinue -ErrorVariable problem
        $results.Status | Should -Be Ok, Failed, NotReached
        $problem.Count | Should -Be 1
        "$($problem[0])" | Should -Be $expected
        $problem[0].Exception.Message | Should -Be $expected
        $problem[0].CategoryInfo.Category | Should -Be ConnectionError
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'ConnectionRefused,*'
        $problem[0].TargetObject | Should -Be $chain.Hops[1]
        $problem[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty

        $failure = Get-FailureEvent $chain $origin.Address
        $failure.Message | Should -Be $expected
        $failure.Reason | Should -Be ConnectionRefused
    }

    It 'names the hop with another key' {
        $p1 = Start-ProxyServer; $p2 = Start-ProxyServer -Key (New-ProxyKey)
        $chain = New-ProxyChain $p1, (New-ProxyHop $p2.Uri -Key (New-ProxyKey))
        $problem = Get-ChainError $chain
        $problem.CategoryInfo.Category | Should -Be AuthenticationError
        $problem.FullyQualifiedErrorId | Should -BeLike 'AuthenticationFailed,*'
        "$problem" | Should -BeLike "hop 2 (127.0.0.1:$($p2.LocalPort))*"
        (Get-FailureEvent $chain $origin.Address).Reason | Should -Be AuthenticationFailed
        (Get-ProxyEvent -Job $p2 -Kind Refused | Select-Object -Last 1).Reason | Should -Be AuthenticationFailed
        $p2.RefusedConnections | Should -BeGreaterThan 0
    }

    It 'names the hop that wants a key and got none' {
        $p1 = Start-ProxyServer -Key (New-ProxyKey)
        $problem = Get-ChainError $p1.Uri
        $problem.CategoryInfo.Category | Should -Be AuthenticationError
        "$problem" | Should -BeLike "hop 1 (127.0.0.1:$($p1.LocalPort))*"
    }

    It 'names the hop whose policy forbids the destination' {
        $p1 = Start-ProxyServer; $p2 = Start-ProxyServer -DenyDestination "*:$($origin.Port)"
        $problem = Get-ChainError ($p1, $p2) $origin.Address
        $problem.CategoryInfo.Category | Should -Be PermissionDenied
        $problem.FullyQualifiedErrorId | Should -BeLike 'Forbidden,*'
        "$problem" | Should -BeLike '*hop 2*'
        (Get-FailureEvent ($p1, $p2) $origin.Address).Reason | Should -Be Forbidden
    }

    It 'allows only what -AllowDestination names' {
        $p1 = Start-ProxyServer -AllowDestination "127.0.0.1:$($origin.Port)"
        (Test-ProxyChain $p1 -Destination $origin.Address).Status | Should -Be Ok, Ok
        (Get-ChainError $p1 "127.0.0.1:$(Get-ClosedPort)").FullyQualifiedErrorId | Should -BeLike 'Forbidden,*'
    }

    It 'tells that a name does not exist' {
        $p1 = Start-ProxyServer
        $problem = Get-ChainError $p1 'no-such-name.invalid:80'
        $problem.CategoryInfo.Category | Should -Be ObjectNotFound
        $problem.FullyQualifiedErrorId | Should -BeLike 'NameNotFound,*'
        "$problem" | Should -BeLike '*no-such-name.invalid*'
    }

    It 'tells that the destination refuses' {
        $p1 = Start-ProxyServer
        $closed = "127.0.0.1:$(Get-ClosedPort)"
        $problem = Get-ChainError $p1 $closed
        $problem.CategoryInfo.Category | Should -Be ConnectionError
        "$problem" | Should -BeLike "destination ${closed}: connection refused*"
        "$($problem.TargetObject)" | Should -Be $closed
    }

    It 'tells of a peer that is no proxy server' {
        $null = Test-ProxyChain "relay://$($origin.Address)" -Timeout 0.5 -ErrorAction SilentlyContinue -ErrorVariable problem
        $problem[0].FullyQualifiedErrorId | Should -Match '^(ProtocolError|ConnectionClosed|ConnectionReset|TimedOut),'
        "$($problem[0])" | Should -BeLike "hop 1 ($($origin.Address))*"
    }

    It 'tells of a peer that does not answer in time' {
        $silent = [Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
        $silent.Start()
        try {
            $null = Test-ProxyChain "relay://127.0.0.1:$($silent.LocalEndpoint.Port)" -Timeout 0.3 -ErrorAction SilentlyContinue -ErrorVariable problem
            $problem[0].FullyQualifiedErrorId | Should -BeLike 'TimedOut,*'
            $problem[0].CategoryInfo.Category | Should -Be ConnectionError
        }
        finally { $silent.Stop() }
    }

    It 'tells that a certificate is not trusted' {
        $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=test', [Security.Cryptography.ECDsa]::Create(), 'SHA256')
        $certificate = $request.CreateSelfSigned([DateTimeOffset]::Now.AddDays(-1), [DateTimeOffset]::Now.AddDays(1))
        $p1 = Start-ProxyServer -Certificate $certificate
        $p1.Uri | Should -BeLike 'relays://*'
        (Test-ProxyChain $p1).Status | Should -Be Ok -Because 'the job carries its certificate along, pinned'
        $problem = Get-ChainError $p1.Uri
        $problem.FullyQualifiedErrorId | Should -BeLike 'TlsFailed,*'
        (Get-ChainError (New-ProxyHop $p1.Uri -Thumbprint ('ab' * 32))).FullyQualifiedErrorId | Should -BeLike 'TlsFailed,*'
        $pin = $certificate.GetCertHashString([Security.Cryptography.HashAlgorithmName]::SHA256)
        (Test-ProxyChain (New-ProxyHop $p1.Uri -Thumbprint $pin)).Status | Should -Be Ok
    }

    It 'stops testing when the pipeline is stopped' {
        $silent = [Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
        $silent.Start()
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript('param($module, $uri) Import-Module $module; Test-ProxyChain $uri -Timeout 60').AddArgument($modulePath).AddArgument("relay://127.0.0.1:$($silent.LocalEndpoint.Port)")
            $run = $shell.BeginInvoke()
            Wait-Until { $silent.Pending() }
            (Measure-Command { $shell.Stop() }).TotalSeconds | Should -BeLessThan 3
            $run.AsyncWaitHandle.WaitOne(3000) | Should -BeTrue
            $shell.InvocationStateInfo.State | Should -Be Stopped
            $shell.Streams.Error.Count | Should -Be 0 -Because 'stopping is no error'
        }
        finally { $shell.Dispose(); $silent.Stop() }
    }
}
