using System.Globalization;
using System.Management.Automation;

namespace ProxyShell.Arguments;

/// <summary>
/// Reads times as people mean them: a number is seconds (PowerShell's own conversion would take it as ticks), text may also be
/// a time span (<c>0:05:00</c>).
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class TimeArgumentAttribute : ArgumentTransformationAttribute
{
    // what a TimeSpan holds: about 10,675,199 days
    private static readonly double MaxSeconds = TimeSpan.MaxValue.TotalSeconds - 1;

    /// <summary>Whether <c>Infinite</c> is a value too.</summary>
    public bool MayBeInfinite { get; set; }

    /// <summary>The fewest seconds that are a value; by default the cmdlet decides.</summary>
    public double AtLeast { get; set; } = double.MinValue;

    /// <summary>The most seconds that are a value.</summary>
    public double AtMost { get; set; } = double.MaxValue;

    /// <inheritdoc />
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        object read = Read(value);
        bool isInRange = read is not TimeSpan time || time == Timeout.InfiniteTimeSpan || (time.TotalSeconds >= AtLeast && time.TotalSeconds <= AtMost);
        return isInRange ? read : throw new ArgumentTransformationMetadataException($"'{value}' is out of range: give {AtLeast} to {AtMost} seconds.");
    }

    private object Read(object? value) => value switch
    {
        null or TimeSpan => value!,
        string text => FromText(text.Trim()),
        IConvertible number and not (bool or char or DateTime) => FromSeconds(number.ToDouble(CultureInfo.InvariantCulture), number),
        _ => throw NoTime(value),
    };

    private TimeSpan FromText(string text)
    {
        if (MayBeInfinite && text.Equals("Infinite", StringComparison.OrdinalIgnoreCase)) return Timeout.InfiniteTimeSpan;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds)) return FromSeconds(seconds, text);
        return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan span) ? span : throw NoTime(text);
    }

    private TimeSpan FromSeconds(double seconds, object original) =>
        Math.Abs(seconds) <= MaxSeconds ? TimeSpan.FromSeconds(seconds) : throw NoTime(original);

    private ArgumentTransformationMetadataException NoTime(object value) =>
        new($"'{value}' is not a time: give seconds (30){(MayBeInfinite ? ", a time span (0:05:00 for five minutes) or Infinite." : " or a time span (0:05:00 for five minutes).")}");
}
