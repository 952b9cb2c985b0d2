namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>
/// Finds how many stripes are worth having: while the pipe is busy one is added, and stays if that raised the rate by half of what the others carry each; else it is taken away again, and the next
/// one is tried later, each time twice as late. A pipe at rest goes back to the least number. Asked once in each <see cref="Interval"/>.
/// </summary>
internal sealed class StripeTuner
{
    /// <summary>How long a rate is measured.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    // what one more stripe has to bring, in shares of those there were: half of what an equal one would
    private const double LeastShare = 0.5;

    // less than that in an interval is no load
    private const long LeastMoved = 256 * 1024;

    // a stripe joins and finds its rate in the first of them
    private const int SettlingIntervals = 2;

    private const int RestIntervals = 15;
    private const int FirstPause = 15;
    private const int LongestPause = 300;

    private long _last;
    private long _before;
    private int _settling;
    private int _pause = FirstPause;
    private int _pauseLeft;
    private int _rested;

    /// <summary>How many stripes more (1) or less (-1) there shall be, given the bytes that were ever moved.</summary>
    public int Decide(long bytes, int count, int least, int most)
    {
        long moved = bytes - _last;
        _last = bytes;
        if (moved < LeastMoved) return Rest(count, least);
        _rested = 0;
        if (_settling > 0) return --_settling > 0 ? 0 : Judge(moved, count, most);
        if (_pauseLeft > 0) _pauseLeft--;
        return _pauseLeft > 0 ? 0 : Try(moved, count, most);
    }

    private int Rest(int count, int least)
    {
        (_settling, _pauseLeft, _pause) = (0, 0, FirstPause);
        return ++_rested > RestIntervals && count > least ? -1 : 0;
    }

    private int Judge(long moved, int count, int most)
    {
        if (moved >= _before * (1 + (LeastShare / (count - 1))))
        {
            _pause = FirstPause;
            return Try(moved, count, most);
        }
        (_pauseLeft, _pause) = (_pause, Math.Min(2 * _pause, LongestPause));
        return -1;
    }

    private int Try(long moved, int count, int most)
    {
        if (count >= most) return 0;
        (_before, _settling) = (moved, SettlingIntervals);
        return 1;
    }
}
