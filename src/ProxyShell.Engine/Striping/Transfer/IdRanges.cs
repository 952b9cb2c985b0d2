namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>Which numbers were used, as ranges: numbers that are given out in order make few of them.</summary>
internal sealed class IdRanges
{
    // first number of a range, and the one behind its last
    private readonly SortedList<long, long> _ranges = [];

    /// <summary>How many ranges there are.</summary>
    public int Count => _ranges.Count;

    /// <summary>Adds a number; false when it was there before.</summary>
    public bool Add(long id)
    {
        int behind = FirstAfter(id);
        long endBefore = behind > 0 ? _ranges.GetValueAtIndex(behind - 1) : long.MinValue;
        if (id < endBefore) return false;
        bool joinsBefore = id == endBefore, joinsBehind = behind < _ranges.Count && _ranges.GetKeyAtIndex(behind) == id + 1;
        long end = joinsBehind ? _ranges.GetValueAtIndex(behind) : id + 1;
        if (joinsBehind) _ranges.RemoveAt(behind);
        if (joinsBefore) _ranges.SetValueAtIndex(behind - 1, end);
        else _ranges.Add(id, end);
        return true;
    }

    // how many ranges begin at the number or before it
    private int FirstAfter(long id)
    {
        int low = 0, high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_ranges.GetKeyAtIndex(middle) <= id) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
