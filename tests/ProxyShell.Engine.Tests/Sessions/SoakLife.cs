using System.Globalization;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>What happens to one channel of a <see cref="SessionSoak"/>: all of it follows from its number, which is in its name.</summary>
internal sealed class SoakLife
{
    private const string Prefix = "life ";

    public SoakLife(int number)
    {
        Number = number;
        var random = new Random(number);
        Content = new byte[random.Next(10) == 0 ? random.Next(300_000) : random.Next(3000)];
        random.NextBytes(Content);
        ClosesAtOnce = random.Next(20) == 0;
        IsAborted = random.Next(10) == 0;
    }

    public int Number { get; }

    public string Name => Prefix + Number.ToString(CultureInfo.InvariantCulture);

    public byte[] Content { get; }

    /// <summary>Who offers closes it as soon as it is open.</summary>
    public bool ClosesAtOnce { get; }

    /// <summary>Who offers aborts it while it sends.</summary>
    public bool IsAborted { get; }

    /// <summary>Who is offered it says no.</summary>
    public bool IsRejected => Number % 77 == 0;

    /// <summary>Who is offered it aborts it while it answers.</summary>
    public bool IsAbortedByPeer => Number % 7 == 0;

    /// <summary>Whether who offers may see a failure.</summary>
    public bool IsCutShort => IsRejected || IsAbortedByPeer;

    /// <summary>Who is offered it ends its own direction first, and keeps what comes.</summary>
    public bool IsKept => !IsCutShort && Number % 5 == 0;

    public static SoakLife Of(string name) => new(int.Parse(name.AsSpan(Prefix.Length), CultureInfo.InvariantCulture));
}
