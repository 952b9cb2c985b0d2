using System.Net;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Serving;

/// <summary>
/// Counts the clients that are turned away by address or number, and writes events about them: under a flood one a second for each
/// cause tells enough, the counter tells the rest.
/// </summary>
internal sealed class RefusalLog(ConnectionRegistry registry, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly long[] _noted = new long[Enum.GetValues<Refusal>().Length];

    public void Note(Refusal refusal, EndPoint? client, ServiceOptions options)
    {
        registry.CountRefused();
        if (!IsTime(ref _noted[(int)refusal])) return;
        string what = refusal switch
        {
            Refusal.Source => $"clients from {(client as IPEndPoint)?.Address} are not admitted",
            Refusal.TooManyOfClient => $"{ClientKey.Of(client)} has reached the limit of {options.MaxConnectionsPerClient} connections per client",
            _ => $"the limit of {options.MaxConnections} connections is reached",
        };
        ProxyErrorReason reason = refusal == Refusal.Source ? ProxyErrorReason.ClientNotAdmitted : ProxyErrorReason.LimitExceeded;
        registry.Write(ProxyEventKind.Refused, $"{what}; {registry.Refused} clients were turned away so far", reason);
    }

    private bool IsTime(ref long noted)
    {
        long last = Interlocked.Read(ref noted), now = time.GetTimestamp();
        if (last != 0 && time.GetElapsedTime(last, now) < Pause) return false;
        return Interlocked.CompareExchange(ref noted, now, last) == last;
    }
}
