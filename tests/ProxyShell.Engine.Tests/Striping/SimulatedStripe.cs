namespace ProxyShell.Engine.Tests.Striping;

/// <summary>A stripe between two sets in memory: what was written lies in between until it is delivered, or lost.</summary>
internal sealed class SimulatedStripe(SimulatedEnd near, SimulatedEnd far)
{
    private readonly List<byte> _out = [];
    private readonly List<byte> _back = [];

    public SimulatedEnd Near => near;

    public SimulatedEnd Far => far;

    /// <summary>Nothing is delivered while it is.</summary>
    public bool IsFrozen { get; set; }

    /// <summary>Whether one of its ends has given it up; the other learns it later.</summary>
    public bool IsBroken { get; set; }

    public bool IsOver => near.IsRemoved && far.IsRemoved;

    /// <summary>Lets a writer write; returns whether it had something.</summary>
    public bool Write(bool fromNear)
    {
        byte[] bytes = (fromNear ? near : far).Write();
        (fromNear ? _out : _back).AddRange(bytes);
        return bytes.Length > 0;
    }

    /// <summary>Delivers up to so many bytes; returns whether there were any.</summary>
    public bool Deliver(bool toFar, int most)
    {
        List<byte> pipe = toFar ? _out : _back;
        if (IsFrozen || pipe.Count == 0) return false;
        int count = (toFar ? far : near).Read(pipe.Take(most).ToArray());
        pipe.RemoveRange(0, count);
        return true;
    }
}
