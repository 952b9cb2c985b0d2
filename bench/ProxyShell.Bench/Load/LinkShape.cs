using System.Globalization;

namespace ProxyShell.Bench.Load;

/// <summary>What one connection of a simulated link is like.</summary>
/// <param name="OneWayDelay">How long each byte travels.</param>
/// <param name="BytesPerSecond">What it carries each way; null for as much as the machine can.</param>
internal sealed record LinkShape(TimeSpan OneWayDelay, double? BytesPerSecond = null)
{
    // together with what waits in the kernel a queue of about 100 ms
    private static readonly TimeSpan Queue = TimeSpan.FromMilliseconds(50);

    /// <summary>What waits in the link's receive buffer before the sender is held up; null for what the kernel finds right.</summary>
    internal int? ReceiveBuffer => BytesPerSecond is { } rate ? (int)Math.Max(rate * Queue.TotalSeconds, 16 * 1024) : null;

    /// <summary>How many bytes travel and wait in the link at most.</summary>
    internal long Room => BytesPerSecond is { } rate ? (long)(rate * (OneWayDelay + Queue).TotalSeconds) : long.MaxValue;

    /// <summary>Reads <c>MEGABYTES_PER_SECOND/MILLISECONDS</c>; a rate of 0 means no limit.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    internal static LinkShape Parse(string text)
    {
        string[] parts = text.Split('/');
        double[] numbers = [.. parts.Select(part => double.Parse(part, CultureInfo.InvariantCulture))];
        return numbers.Length == 2
            ? new LinkShape(TimeSpan.FromMilliseconds(numbers[1]), numbers[0] > 0 ? numbers[0] * 1e6 : null)
            : throw new FormatException($"{text}: MB_PER_SECOND/MILLISECONDS is expected, such as 40/10");
    }
}
