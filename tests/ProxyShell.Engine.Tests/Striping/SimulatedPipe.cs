using ProxyShell.Engine.Striping;
using ProxyShell.Engine.Striping.Transfer;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>
/// Two stripe sets joined in memory, whose every step is drawn from one seed: which writer writes, which bytes arrive and when, which stripe is frozen or lost and
/// which comes back, what the applications write, read and break off. Time stands still between the steps.
/// </summary>
internal sealed class SimulatedPipe : IDisposable
{
    private const int MostStripes = 5;

    private readonly Random _random;
    private readonly ManualTime _time = new();
    private readonly List<SimulatedStripe> _stripes = [];
    private readonly List<SimulatedStream> _streams = [];
    private readonly StripeSet _near;
    private readonly StripeSet _far;
    private long _lastStripe;

    public SimulatedPipe(int seed)
    {
        _random = new Random(seed);
        var options = new StripeSetOptions { Time = _time, Window = 512 * 1024, ReconnectTimeout = TimeSpan.FromHours(1) };
        _near = new StripeSet(options, isNear: true);
        _far = new StripeSet(options, isNear: false) { Opened = stream => _streams.Single(known => known.Id == stream.Id).Accept(stream) };
        for (int i = _random.Next(1, 7); i > 0; i--) OpenStream();
    }

    /// <summary>How many times a stripe was lost.</summary>
    public int Losses { get; private set; }

    /// <summary>Bytes that were sent again.</summary>
    public long Resent { get; private set; }

    /// <summary>Runs a time of trouble, then calm until everything is over; throws what was wrong.</summary>
    public void Run()
    {
        for (int step = _random.Next(200, 3000); step > 0; step--) Step(isCalm: false);
        foreach (SimulatedStripe stripe in _stripes) stripe.IsFrozen = false;
        for (int step = 0; !_streams.TrueForAll(stream => stream.IsOver); step++)
        {
            Assert.True(step < 200_000, $"stuck: {string.Join("; ", _streams.Where(stream => !stream.IsOver))}; {_stripes.Count} stripes");
            Step(isCalm: true);
        }
        // what the applications have is whole; what the sets keep must be let go as well
        for (int step = 0; _near.StreamCount + _far.StreamCount > 0; step++)
        {
            Assert.True(step < 20_000, $"{_near.StreamCount} streams are left at the near end, {_far.StreamCount} at the far end");
            Step(isCalm: true);
        }
    }

    public void Dispose()
    {
        _near.Dispose();
        _far.Dispose();
    }

    private void Step(bool isCalm)
    {
        int what = _random.Next(1000);
        if (what < 8 && !isCalm) Lose();
        else if (what < 16 && !isCalm && _stripes.Count > 0) Any(_stripes).IsFrozen ^= true;
        else if (what < 40 || _stripes.Count == 0) Join();
        else if (what < 80) _time.Advance(TimeSpan.FromMilliseconds(_random.Next(1, _random.Next(2) == 0 ? 5 : 400)));
        else if (what < 300) Any(_streams).Step(_random, isCalm);
        else if (what < 600) Any(_stripes).Write(fromNear: _random.Next(2) == 0);
        else Deliver();
    }

    private void Deliver()
    {
        SimulatedStripe stripe = Any(_stripes);
        stripe.Deliver(toFar: _random.Next(2) == 0, _random.Next(4) == 0 ? _random.Next(1, 50) : _random.Next(1, 200_000));
        if (stripe.IsBroken) Break(stripe);
    }

    private void OpenStream()
    {
        StripedStream opened = _near.Open(new StreamOpening(StreamKind.Bytes, null));
        _streams.Add(new SimulatedStream(opened, _random));
    }

    private void Join()
    {
        if (_stripes.Count >= MostStripes) return;
        long number = ++_lastStripe;
        SimulatedStripe? made = null;
        Stripe near = _near.AddStripe(number, _ => made!.IsBroken = true, null, TimeSpan.FromMilliseconds(_random.Next(1, 50)));
        Stripe far = _far.AddStripe(number, _ => made!.IsBroken = true, null, TimeSpan.FromMilliseconds(_random.Next(1, 50)));
        _stripes.Add(made = new SimulatedStripe(new SimulatedEnd(_near, near), new SimulatedEnd(_far, far)));
    }

    private void Lose()
    {
        if (_stripes.Count == 0) return;
        SimulatedStripe stripe = Any(_stripes);
        // some of what is under way still arrives
        if (_random.Next(2) == 0) stripe.Deliver(toFar: _random.Next(2) == 0, _random.Next(1, 100_000));
        Losses++;
        Break(stripe);
    }

    // the ends learn of it at different times
    private void Break(SimulatedStripe stripe)
    {
        stripe.IsBroken = true;
        (_random.Next(2) == 0 ? stripe.Near : stripe.Far).Remove();
        if (_random.Next(3) > 0) return;
        stripe.Near.Remove();
        stripe.Far.Remove();
        Resent += stripe.Near.Stripe.Resent + stripe.Far.Stripe.Resent;
        _stripes.Remove(stripe);
    }

    private T Any<T>(List<T> items) => items[_random.Next(items.Count)];
}
