using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>
/// The pipes of a far end, and who may join which: a stripe belongs to the pipe whose name it knows, and whoever brings it has to know the key.
/// </summary>
internal sealed class StripeAcceptor(StripeSetOptions first, ProxyKey? key) : IAsyncDisposable
{
    private const int MostPipes = 1024;
    private const int MostStripes = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<UInt128, FarPipe> _pipes = [];
    private readonly Dictionary<StripeLink, (UInt128 Pipe, Task Running)> _links = [];
    private volatile StripeSetOptions _options = first;
    private bool _isStopping;

    /// <summary>Called for each stream that a near end opens, in no particular order, with a stripe's connection.</summary>
    public required Action<StripedStream, ServedConnection> Opened { get; init; }

    /// <summary>Goes by other times from now on.</summary>
    public void Use(StripeSetOptions options)
    {
        lock (_gate)
        {
            _options = options;
            foreach (FarPipe pipe in _pipes.Values) pipe.Set.Use(options);
        }
    }

    /// <summary>Makes a connection a stripe, within its set-up's time.</summary>
    /// <exception cref="ProxyException">It is none, or is refused; it was told why.</exception>
    public async Task<StripeLink> AcceptAsync(ServedConnection served)
    {
        CancellationToken cancellationToken = served.Clock.Token;
        var handshake = new StripeHandshake(served.Client, key);
        long start = _options.Time.GetTimestamp();
        StripeHello hello = await handshake.ChallengeAsync(cancellationToken).ConfigureAwait(false);
        TimeSpan roundTrip = _options.Time.GetElapsedTime(start);
        if (Find(hello, served, out ProxyErrorReason reason, out string fault) is not { } set) throw await handshake.RefusedAsync(reason, fault, cancellationToken).ConfigureAwait(false);
        await handshake.AcceptAsync(cancellationToken).ConfigureAwait(false);
        return new StripeLink(set, hello.Number, served.Client, roundTrip) { Pipe = hello.Pipe };
    }

    /// <summary>Runs a stripe until it is over; returns why, or null when its pipe was ended in order.</summary>
    public async Task<ProxyException?> RunAsync(StripeLink link)
    {
        Task<ProxyException?> running = link.RunAsync();
        lock (_gate) _links.Add(link, (link.Pipe, running));
        ProxyException? why = await running.ConfigureAwait(false);
        lock (_gate) _links.Remove(link);
        return why;
    }

    public IReadOnlyList<StripeInfo> GetStripes()
    {
        lock (_gate)
        {
            return [.. _links.Where(link => _pipes.ContainsKey(link.Value.Pipe)).Select(link => _pipes[link.Value.Pipe].Set.Describe(link.Key.Stripe, link.Value.Pipe) with
            {
                Path = link.Key.Connection.RemoteEndPoint?.ToString() ?? "", LocalEndPoint = link.Key.Connection.LocalEndPoint,
            })];
        }
    }

    /// <summary>Takes no more stripes, and ends each pipe when it has no more streams.</summary>
    public async Task DrainAsync()
    {
        StripeSet[] pipes;
        lock (_gate)
        {
            _isStopping = true;
            pipes = [.. _pipes.Values.Select(pipe => pipe.Set)];
        }
        await Task.WhenAll(pipes.Select(DrainAsync)).ConfigureAwait(false);
    }

    /// <summary>Ends all pipes now.</summary>
    public async ValueTask DisposeAsync()
    {
        StripeSet[] pipes;
        Task[] running;
        lock (_gate)
        {
            _isStopping = true;
            pipes = [.. _pipes.Values.Select(pipe => pipe.Set)];
            running = [.. _links.Values.Select(link => link.Running)];
        }
        foreach (StripeSet set in pipes) set.Dispose();
        await Task.WhenAll(running).ConfigureAwait(false);
    }

    private static async Task DrainAsync(StripeSet set)
    {
        await set.EmptyAsync().ConfigureAwait(false);
        set.SayGoodbye();
    }

    private StripeSet? Find(StripeHello hello, ServedConnection served, out ProxyErrorReason reason, out string fault)
    {
        lock (_gate)
        {
            (reason, fault) = (ProxyErrorReason.Stopping, "this end is stopping");
            if (_isStopping) return null;
            if (!_pipes.TryGetValue(hello.Pipe, out FarPipe? pipe))
            {
                (reason, fault) = (ProxyErrorReason.ConnectionClosed, "the pipe has ended, or this end was started anew");
                if (!hello.Begins) return null;
                (reason, fault) = (ProxyErrorReason.LimitExceeded, $"there are {MostPipes} pipes already");
                if (_pipes.Count >= MostPipes) return null;
                pipe = Add(hello.Pipe, served);
            }
            (reason, fault) = (ProxyErrorReason.LimitExceeded, $"the pipe has {MostStripes} stripes already");
            if (pipe.Set.StripeCount >= MostStripes) return null;
            (reason, fault) = (ProxyErrorReason.Replayed, $"stripe {hello.Number} of the pipe was here before");
            if (!pipe.Set.TakeNumber(hello.Number)) return null;
            pipe.Carrier = served;
            return pipe.Set;
        }
    }

    private FarPipe Add(UInt128 id, ServedConnection served)
    {
        FarPipe pipe = null!;
        // a stripe has to be there before a stream can be opened over it
        pipe = new FarPipe(new StripeSet(_options, isNear: false) { Opened = stream => Opened(stream, pipe.Carrier) }, served);
        _pipes.Add(id, pipe);
        _ = ForgetAsync(id, pipe.Set);
        return pipe;
    }

    // ends with the set, which always does: by its near end, by time, or with the service
    private async Task ForgetAsync(UInt128 id, StripeSet set)
    {
        await set.Completion.ConfigureAwait(false);
        lock (_gate) _pipes.Remove(id);
        set.Dispose();
    }

    private sealed class FarPipe(StripeSet set, ServedConnection carrier)
    {
        public StripeSet Set => set;

        /// <summary>The newest stripe's connection.</summary>
        public ServedConnection Carrier { get; set; } = carrier;
    }
}
