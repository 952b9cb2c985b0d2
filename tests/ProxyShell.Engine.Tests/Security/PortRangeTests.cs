using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Security;

public class PortRangeTests
{
    [Theory]
    [InlineData("80", 80, 80, "80")]
    [InlineData(" 80 - 443 ", 80, 443, "80-443")]
    [InlineData("0-65535", 0, 65535, "*")]
    [InlineData("*", 0, 65535, "*")]
    public void A_range_is_read_and_shown(string text, int first, int last, string shown)
    {
        PortRange range = PortRange.Parse(text);
        Assert.Equal((first, last, shown), (range.First, range.Last, range.ToString()));
        Assert.True(range.Contains(first) && range.Contains(last));
        Assert.False(range.Contains(first - 1) || range.Contains(last + 1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("http")]
    [InlineData("-1")]
    [InlineData("70000")]
    [InlineData("443-80")]
    [InlineData("1-2-3")]
    [InlineData("80-")]
    [InlineData("+80")]
    public void A_wrong_text_is_named(string text) =>
        Assert.Equal($"'{text}' is not a port or a range of ports such as 80-443.", Assert.Throws<FormatException>(() => PortRange.Parse(text)).Message);

    [Theory]
    [InlineData(-1, 80)]
    [InlineData(80, 65536)]
    [InlineData(81, 80)]
    public void Wrong_ends_are_refused(int first, int last) => Assert.Throws<FormatException>(() => new PortRange(first, last));
}
