using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Striping.Transfer;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>A stream of a simulated pipe with its two applications.</summary>
internal sealed class SimulatedStream(StripedStream near, Random random)
{
    private readonly SimulatedTraffic _up = new(near.Id, random.Next(4) == 0 ? random.Next(300) : random.Next(400_000));
    private readonly SimulatedTraffic _down = new(-near.Id, random.Next(4) == 0 ? random.Next(300) : random.Next(400_000));
    private readonly bool _breaks = random.Next(8) == 0;
    private StripedStream? _far;

    public long Id => near.Id;

    /// <summary>Whether each direction is whole, or was broken off and an application knows.</summary>
    public bool IsOver => (_up.IsOver || _up.IsBroken) && (_down.IsOver || _down.IsBroken);

    public void Accept(StripedStream far)
    {
        Assert.Null(_far);
        _far = far;
    }

    /// <summary>Something that one of the applications does.</summary>
    public void Step(Random dice, bool isCalm)
    {
        if (_breaks && !isCalm && dice.Next(200) == 0 && !IsOver) (dice.Next(2) == 0 && _far is not null ? _far : near).Abort(new ProxyException(ProxyErrorReason.Aborted, ProxyStage.Relay, null, "had enough"));
        switch (dice.Next(4))
        {
            case 0: _up.Write(near, dice); break;
            case 1: _down.Read(near, dice); break;
            case 2 when _far is not null: _up.Read(_far, dice); break;
            case 3 when _far is not null: _down.Write(_far, dice); break;
        }
        // nobody accepts what was broken off before it was opened
        if (_far is null && near.IsBroken) (_up.IsBroken, _down.IsBroken) = (true, true);
    }

    public override string ToString() => $"stream {Id}: up {_up}, down {_down}, accepted: {_far is not null}";
}
