using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Striping.Transfer;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>Serves the connections that near ends make stripes of.</summary>
internal sealed class StripeServer(ServiceContext context, StripeAcceptor acceptor, StripedPipeExit exit) : IClientServer
{
    public async Task ServeAsync(ServedConnection served)
    {
        ProxyConnection record = served.Record;
        record.Protocol = "stripe";
        StripeLink link = await AcceptAsync(served).ConfigureAwait(false);
        record.Destination = PipeInstance.NameOf(link.Pipe);
        // asked for now: streams are opened over it when it may be gone
        _ = served.Addresses;
        // whether it lives is asked of it
        record.IdleLimit = Timeout.InfiniteTimeSpan;
        served.EndSetUp();
        context.NoteOpen(served);
        ProxyException? why;
        exit.CountStripe(1);
        try
        {
            why = await acceptor.RunAsync(link).ConfigureAwait(false);
        }
        finally
        {
            exit.CountStripe(-1);
        }
        if (why is not null) throw new ProxyException(why.Reason, ProxyStage.Relay, "near end", why.Detail, why) { Side = ProxySide.Client };
    }

    public ValueTask TurnAwayAsync(DuplexConnection connection) => connection.DisposeAsync();

    private async Task<StripeLink> AcceptAsync(ServedConnection served)
    {
        try
        {
            return await acceptor.AcceptAsync(served).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            served.WasRefused = true;
            throw new ProxyException(e.Reason, ProxyStage.Request, "near end", e.Detail, e) { Side = ProxySide.Client };
        }
    }
}
