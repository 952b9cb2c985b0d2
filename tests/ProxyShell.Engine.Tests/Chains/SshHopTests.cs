using System.Text;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>SSH hops against a program that speaks like ssh; tests/interop has the real one.</summary>
[Collection(nameof(SshProgram))]
public sealed class SshHopTests : IDisposable
{
    private const string Opened = "echo 'debug2: channel 0: open confirm rwindow 2097152 rmax 32768' >&2\n";
    private const string Ended = "echo 'debug2: channel 0: rcvd eof' >&2\n";

    private static readonly HostEndpoint Destination = new("192.0.2.7", 80);

    private readonly ScratchFolder _folder = new();

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("PROXYSHELL_SSH", null);
        _folder.Dispose();
    }

    [Fact]
    public void The_server_is_named_last_and_asked_nothing()
    {
        ProxyHop hop = ProxyHop.Parse("ssh://alice@bastion.example:2222");
        Assert.Equal(
            ["-p", "2222", "-l", "alice", "--", "bastion.example"],
            SshHop.Arguments(hop, Destination, null).SkipWhile(argument => argument != "-p"));
        Assert.Equal(["-W", "192.0.2.7:80", "-o", "BatchMode=yes"], SshHop.Arguments(hop, Destination, null).Take(4));
        Assert.Equal(["-W", "[2001:db8::1]:443"], SshHop.Arguments(hop, new HostEndpoint("2001:db8::1", 443), null).Take(2));
    }

    [Fact]
    public void The_usual_port_is_left_to_the_users_configuration() =>
        Assert.DoesNotContain("-p", SshHop.Arguments(ProxyHop.Parse("ssh://bastion"), Destination, null));

    [Fact]
    public void Behind_other_hops_the_server_keeps_its_name()
    {
        var bridge = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 4711);
        List<string> arguments = [.. SshHop.Arguments(ProxyHop.Parse("ssh://bastion:2222"), Destination, bridge)];
        Assert.Contains("HostName=127.0.0.1", arguments);
        Assert.Contains("HostKeyAlias=[bastion]:2222", arguments);
        Assert.Equal("4711", arguments[arguments.IndexOf("-p") + 1]);
        Assert.Equal("bastion", arguments[^1]);
    }

    [Fact]
    public async Task Bytes_pass_both_ways_and_so_do_ends()
    {
        Script(Opened + "cat\n" + Ended);
        await using DuplexConnection connection = await ConnectAsync();
        byte[] sent = new byte[1_000_000];
        Random.Shared.NextBytes(sent);
        Task writing = Task.Run(async () =>
        {
            await connection.WriteAsync(sent, default);
            await connection.CompleteWritesAsync(default);
        });

        Assert.Equal(sent, await ReadToEndAsync(connection));
        await writing.Within();
    }

    [Fact]
    public async Task A_read_without_a_buffer_waits_and_takes_nothing()
    {
        Script(Opened + "head -c 1 >/dev/null\nprintf abc\n" + Ended);
        await using DuplexConnection connection = await ConnectAsync();
        ValueTask<int> waiting = connection.ReadAsync(Memory<byte>.Empty, default);
        Assert.False(waiting.IsCompleted);

        await connection.WriteAsync("x"u8.ToArray(), default);

        Assert.Equal(0, await waiting.AsTask().Within());
        Assert.Equal("abc", Encoding.ASCII.GetString(await ReadToEndAsync(connection)));
    }

    [Theory]
    [InlineData("channel 0: open failed: connect failed: Connection refused", ProxyErrorReason.ConnectionRefused, "destination 192.0.2.7:80: connection refused, told by hop 1 (bastion:22)")]
    [InlineData("channel 0: open failed: connect failed: No route to host", ProxyErrorReason.HostUnreachable, "destination 192.0.2.7:80: host unreachable, told by hop 1 (bastion:22)")]
    [InlineData("channel 0: open failed: administratively prohibited: open failed", ProxyErrorReason.Forbidden, "hop 1 (bastion:22): the SSH server forbids the destination (PermitOpen, AllowTcpForwarding)")]
    [InlineData("alice@bastion: Permission denied (publickey).", ProxyErrorReason.AuthenticationFailed, "hop 1 (bastion:22): alice@bastion: Permission denied (publickey).")]
    [InlineData("ssh: connect to host bastion port 22: Connection refused", ProxyErrorReason.ConnectionRefused, "hop 1 (bastion:22): ssh: connect to host bastion port 22: Connection refused")]
    [InlineData("Host key verification failed.", ProxyErrorReason.AuthenticationFailed, "hop 1 (bastion:22): Host key verification failed.")]
    public async Task What_ssh_complains_of_is_told(string line, ProxyErrorReason reason, string message)
    {
        Script($"echo 'debug1: noise' >&2\necho '{line}' >&2\necho 'stdio forwarding failed' >&2\nexit 255\n");
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(ConnectAsync);
        Assert.Equal((reason, message), (error.Reason, error.Message));
    }

    [Fact]
    public async Task A_program_that_is_missing_is_named()
    {
        Environment.SetEnvironmentVariable("PROXYSHELL_SSH", _folder.File("none"));
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(ConnectAsync);
        Assert.StartsWith("hop 1 (bastion:22): ", error.Message, StringComparison.Ordinal);
        Assert.Contains("none", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_torn_stream_is_a_failure()
    {
        Script(Opened + "printf abc\necho 'Connection to bastion closed by remote host.' >&2\nexit 255\n");
        await using DuplexConnection connection = await ConnectAsync();
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => ReadToEndAsync(connection));
        Assert.Equal("Connection to bastion closed by remote host.", error.Message);
    }

    [Fact]
    public async Task A_silent_program_meets_the_deadline()
    {
        Script("exec sleep 60\n");
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => ConnectAsync(TimeSpan.FromMilliseconds(300)));
        Assert.Equal((ProxyErrorReason.TimedOut, "hop 1 (bastion:22): no answer in time"), (error.Reason, error.Message));
    }

    [Fact]
    public async Task An_abort_ends_the_program()
    {
        Script(Opened + "echo $$\nexec sleep 60\n");
        DuplexConnection connection = await ConnectAsync();
        var buffer = new byte[100];
        int id = int.Parse(Encoding.ASCII.GetString(buffer, 0, await connection.ReadAsync(buffer, default).AsTask().Within()), null);

        connection.Abort();

        await Assert.ThrowsAsync<ProxyException>(() => connection.ReadAsync(buffer, default).AsTask().Within());
        await connection.DisposeAsync();
        await Deadline.Until(() => !Directory.Exists($"/proc/{id}"), $"process {id} has ended");
    }

    private static async Task<byte[]> ReadToEndAsync(DuplexConnection connection)
    {
        using var all = new MemoryStream();
        var buffer = new byte[10_000];
        while (await connection.ReadAsync(buffer, default).AsTask().Within() is > 0 and var count) all.Write(buffer, 0, count);
        return all.ToArray();
    }

    private static Task<DuplexConnection> ConnectAsync() => ConnectAsync(TimeSpan.FromSeconds(10));

    private static Task<DuplexConnection> ConnectAsync(TimeSpan timeout) =>
        new ChainClient { ConnectTimeout = timeout }.ConnectAsync(new ProxyChain(ProxyHop.Parse("ssh://bastion")), Destination).Within();

    private void Script(string text)
    {
        string path = _folder.File("ssh");
        File.WriteAllText(path, "#!/bin/sh\n" + text);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Environment.SetEnvironmentVariable("PROXYSHELL_SSH", path);
    }
}

/// <summary>Tests that name the ssh program in the environment run one after the other.</summary>
[CollectionDefinition(nameof(SshProgram))]
public sealed class SshProgram;
