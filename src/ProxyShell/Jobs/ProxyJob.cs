using System.Management.Automation;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Jobs;

/// <summary>
/// A job that is Running while its service serves. It writes nothing to its streams: what happens is in its counters,
/// its connections and its bounded events.
/// </summary>
public abstract partial class ProxyJob : Job2
{
    private readonly Lock _handlersGate = new();
    private EventHandler<ProxyEventArgs>? _handlers;

    private protected ProxyJob(IProxyService service, string command, string jobTypeName)
        : base(command, service.Name)
    {
        Service = service;
        PSJobTypeName = jobTypeName;
        NeverBlockReaders();
    }

    /// <summary>
    /// Raised on a pool thread for each event of the service, in order; meant for <c>Register-ObjectEvent</c>, which runs its
    /// action later on the session's own thread. PowerShell may run actions of close events out of order; EventIdentifier keeps it.
    /// </summary>
    public event EventHandler<ProxyEventArgs> EventWritten
    {
        add
        {
            lock (_handlersGate)
            {
                if (_handlers is null) Service.EventWritten += ForwardEvent;
                _handlers += value;
            }
        }
        remove
        {
            lock (_handlersGate)
            {
                _handlers -= value;
                if (_handlers is null) Service.EventWritten -= ForwardEvent;
            }
        }
    }

    /// <summary>What the job is doing, in one sentence.</summary>
    public override string StatusMessage => JobStateInfo.State switch
    {
        JobState.Running => RunningMessage,
        JobState.Stopping => $"{StoppingMessage}; {Counted(ActiveConnections, "connection")} may finish{Because()}",
        JobState.Failed => JobStateInfo.Reason?.Message ?? "failed",
        _ => $"stopped{Because()}",
    };

    /// <summary>Whether a stream of the job holds something; only what others wrote there.</summary>
    public override bool HasMoreData => Output.Count + Error.Count + Warning.Count + Verbose.Count + Debug.Count + Information.Count + Progress.Count > 0;

    /// <summary>Connections that are open or being set up now.</summary>
    public int ActiveConnections => Service.Counters.Active;

    /// <summary>Connections ever accepted, refused ones included.</summary>
    public long AcceptedConnections => Service.Counters.Accepted;

    /// <summary>Those of them that were channels of sessions, which open no socket.</summary>
    public long AcceptedChannels => Service.Counters.Channels;

    /// <summary>Connections that could not be set up or were cut off.</summary>
    public long FailedConnections => Service.Counters.Failed;

    /// <summary>Clients that were turned away: bad bytes, a wrong key, a forbidden destination, a limit.</summary>
    public long RefusedConnections => Service.Counters.Refused;

    /// <summary>Bytes towards destinations, of all connections so far.</summary>
    public long BytesSent => Service.Counters.BytesSent;

    /// <summary>Bytes towards clients, of all connections so far.</summary>
    public long BytesReceived => Service.Counters.BytesReceived;

    internal IProxyService Service { get; }

    /// <summary>What it does while it runs.</summary>
    private protected abstract string RunningMessage { get; }

    /// <summary>What it does no longer once it is told to stop.</summary>
    private protected abstract string StoppingMessage { get; }

    private protected static string Counted(int number, string noun) => $"{number} {noun}{(number == 1 ? "" : "s")}";

    // an enumeration of a running job's streams would otherwise wait for its end
    private void NeverBlockReaders()
    {
        Output.EnumeratorNeverBlocks = true;
        Error.EnumeratorNeverBlocks = true;
        Warning.EnumeratorNeverBlocks = true;
        Verbose.EnumeratorNeverBlocks = true;
        Debug.EnumeratorNeverBlocks = true;
        Information.EnumeratorNeverBlocks = true;
        Progress.EnumeratorNeverBlocks = true;
    }

    private string Because() => _stopReason.Length == 0 ? "" : $" ({_stopReason})";

    private void ForwardEvent(object? sender, ProxyEvent item) => _handlers?.Invoke(this, new ProxyEventArgs(item));
}
