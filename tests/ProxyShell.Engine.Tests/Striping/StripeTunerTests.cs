using ProxyShell.Engine.Striping.Transfer;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>How many stripes a pipe of adaptive width comes to have.</summary>
public class StripeTunerTests
{
    private const long Cap = 20_000_000;

    [Theory]
    [InlineData(2, 16, 3, 3)]
    [InlineData(2, 16, 7, 7)]
    [InlineData(2, 5, 9, 5)]
    [InlineData(4, 16, 2, 4)]
    public void Stripes_are_added_while_that_raises_the_rate(int least, int most, int useful, int expected)
    {
        int[] counts = Run(least, most, 60, count => Math.Min(count, useful) * Cap);
        Assert.Equal(expected, counts[30..].GroupBy(count => count).MaxBy(group => group.Count())!.Key);
        // one that brings nothing was tried, and not too often
        Assert.InRange(counts.Count(count => count == expected + 1), 0, 60 / 10);
    }

    [Fact]
    public void A_pipe_at_rest_goes_back_to_the_least_number()
    {
        int[] counts = Run(2, 16, 100, count => count == 0 ? 0 : count * Cap, restAfter: 40);
        Assert.True(counts[39] > 10, $"{counts[39]} stripes under load");
        Assert.Equal(2, counts[^1]);
    }

    private static int[] Run(int least, int most, int intervals, Func<int, long> rate, int restAfter = int.MaxValue)
    {
        var tuner = new StripeTuner();
        var counts = new int[intervals];
        long moved = 0;
        int count = least;
        for (int i = 0; i < intervals; i++)
        {
            if (i < restAfter) moved += rate(count);
            count += tuner.Decide(moved, count, least, most);
            Assert.InRange(count, least, most);
            counts[i] = count;
        }
        return counts;
    }
}
