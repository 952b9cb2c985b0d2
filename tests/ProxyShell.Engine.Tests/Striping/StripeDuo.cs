using ProxyShell.Engine.Striping.Transfer;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>Two stripe sets in memory, joined by perfect stripes.</summary>
internal sealed class StripeDuo : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly List<SimulatedStripe> _stripes = [];

    public StripeDuo(int window, int stripes)
    {
        var options = new StripeSetOptions { Time = _time, Window = window };
        (Near, Far) = (new StripeSet(options, isNear: true), new StripeSet(options, isNear: false) { Opened = Accepted.Add });
        for (int i = 1; i <= stripes; i++)
            _stripes.Add(new SimulatedStripe(Join(Near, i), Join(Far, i)));
    }

    public StripeSet Near { get; }

    public StripeSet Far { get; }

    /// <summary>The streams that came to the far end.</summary>
    public List<StripedStream> Accepted { get; } = [];

    /// <summary>Lets everything move until nothing does, for as long as no timer has to.</summary>
    public void Settle()
    {
        for (int quiet = 0; quiet < 3; quiet++)
        {
            while (_stripes.Exists(Move)) quiet = 0;
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }
    }

    /// <summary>Lets so much time pass, a millisecond at a time, while everything moves.</summary>
    public void Run(TimeSpan time)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromMilliseconds(1))
        {
            while (_stripes.Exists(Move))
            {
            }
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }
    }

    public IReadOnlyList<SimulatedStripe> Stripes => _stripes;

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
    }

    private static SimulatedEnd Join(StripeSet set, int number) => new(set, set.AddStripe(number, _ => { }, null, TimeSpan.FromMilliseconds(1)));

    private static bool Move(SimulatedStripe stripe) =>
        stripe.Write(fromNear: true) | stripe.Write(fromNear: false) | stripe.Deliver(toFar: true, int.MaxValue) | stripe.Deliver(toFar: false, int.MaxValue);
}
