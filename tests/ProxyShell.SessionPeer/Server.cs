using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.SessionPeer;

/// <summary>Accepts channels and does with each what its name says, until the session is over.</summary>
internal sealed class Server(MultiplexedSession session, int seeded)
{
    private readonly Dictionary<long, ChannelOffer> _anonymous = [];

    public async Task RunAsync()
    {
        try
        {
            for (int number = 0; number < seeded; number++) _ = Channels.EchoAsync(session.Seeded(number));
            while (true)
            {
                // anonymous channels wait until they are named by number
                ChannelOffer offer = await session.NextOfferAsync(CancellationToken.None);
                if (offer.Name.Length > 0) _ = ServeAsync(offer);
                else _anonymous.Add(offer.Id.Number, offer);
            }
        }
        catch (ProxyException)
        {
            ProxyException? why = await session.Completion;
            Console.Error.WriteLine(why?.Message ?? "closed in order");
        }
    }

    private async Task ServeAsync(ChannelOffer offer)
    {
        try
        {
            switch (offer.Name)
            {
                case "echo":
                    await Channels.EchoAsync(offer.Accept());
                    break;
                case "sum":
                    SessionChannel summed = offer.Accept();
                    await Channels.SendAsync(summed, await Channels.SumAsync(summed));
                    break;
                case "number":
                    SessionChannel numbers = offer.Accept();
                    long number = long.Parse(Encoding.ASCII.GetString(await Channels.ReadToEndAsync(numbers)));
                    await Channels.SendAsync(numbers, "accepted");
                    await Channels.EchoAsync(_anonymous[number].Accept());
                    break;
                case "reject":
                    offer.Reject(new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Policy, null, "not today"));
                    break;
                case "fail":
                    SessionChannel failing = offer.Accept();
                    await failing.WriteAsync("begun"u8.ToArray(), CancellationToken.None);
                    failing.Abort(new ProxyException(ProxyErrorReason.Other, ProxyStage.Relay, null, "ran out of paper"));
                    break;
            }
        }
        catch (ProxyException e)
        {
            Console.Error.WriteLine($"{offer.Name}: {e.Message}");
        }
    }
}
