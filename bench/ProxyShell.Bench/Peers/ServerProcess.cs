using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Origins;

namespace ProxyShell.Bench.Peers;

/// <summary>A relay or origin that runs in a process of its own and listens on a port.</summary>
internal sealed class ServerProcess : IDisposable
{
    private const int LinesKept = 20;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan EchoTimeout = TimeSpan.FromMilliseconds(200);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lastLines = new();

    private ServerProcess(Process process, int port)
    {
        _process = process;
        Port = port;
        Tree = new ProcessTree(process.Id);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    internal int Port { get; }

    internal int Id => _process.Id;

    internal ProcessTree Tree { get; }

    /// <summary>Starts the program and returns when it serves; a program that ends or stays silent is an error.</summary>
    internal static async Task<ServerProcess> StartAsync(
        string name, ProcessCommand command, int port, Readiness readiness, CancellationToken cancellationToken)
    {
        var server = new ServerProcess(StartedProcesses.Start(command), port);
        try
        {
            await server.WaitUntilAsync(readiness, name, cancellationToken);
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public void Dispose() => StartedProcesses.Stop(_process);

    private async Task WaitUntilAsync(Readiness readiness, string name, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        while (!await ServesAsync(readiness, cancellationToken))
        {
            if (_process.HasExited)
                throw new IOException($"{name} ended at once: {string.Join(" | ", _lastLines)}");
            if (Stopwatch.GetElapsedTime(started) > StartTimeout)
                throw new IOException($"{name} does not serve on port {Port}: {string.Join(" | ", _lastLines)}");
            await Task.Delay(20, cancellationToken);
        }
    }

    private Task<bool> ServesAsync(Readiness readiness, CancellationToken cancellationToken) => readiness switch
    {
        Readiness.Echoes => EchoesAsync(cancellationToken),
        Readiness.Answers => HttpProbe.IsServedAsync(Port, TunnelFiles.HostOf(0), WebServer.SmallPath, cancellationToken),
        _ => AcceptsAsync(cancellationToken),
    };

    private async Task<bool> AcceptsAsync(CancellationToken cancellationToken)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await probe.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task<bool> EchoesAsync(CancellationToken cancellationToken)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(EchoTimeout);
        try
        {
            await probe.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), cancellationToken);
            await probe.SendAsync(new byte[1], cancellationToken);
            return await probe.ReceiveAsync(new byte[1], deadline.Token) == 1;
        }
        catch (Exception silence) when (silence is SocketException || (silence is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    private void Keep(string? line)
    {
        if (string.IsNullOrWhiteSpace(line))
            return;
        _lastLines.Enqueue(line.Trim());
        if (_lastLines.Count > LinesKept)
            _lastLines.TryDequeue(out _);
    }
}
