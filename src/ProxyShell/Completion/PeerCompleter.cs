using ProxyShell.Jobs;

namespace ProxyShell.Completion;

/// <summary>Offers the addresses of running far ends of striped pipes, and the shapes of such addresses.</summary>
public sealed class PeerCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
    [
        .. SessionJobs.OfProcess().OfType<StripedPipeJob>().Where(job => job.FarEnd is not null).Select(job => (job.Uri, $"{job.Name}, to {job.Destination}")),
        ("tcp://", "a far end over TCP: tcp://host:port, or host:port"),
        ("tls://", "a far end over TLS, end to end: tls://host:port"),
        ("unix:", "a far end on a Unix socket: unix:/path"),
    ];
}
