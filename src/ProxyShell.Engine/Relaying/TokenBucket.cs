namespace ProxyShell.Engine.Relaying;

/// <summary>
/// One rate in one direction, for all that share it: bytes accrue with time, and who finds too few waits in line. A tick serves the
/// line in order, each with its share of what is there, so that all get their turns; who wants more lines up again at the end.
/// </summary>
internal sealed class TokenBucket(TimeProvider time)
{
    // while nobody waits, what accrues beyond this is lost: it is how far a burst can exceed the rate
    private const double BurstSeconds = 0.1;

    // while somebody waits, or was served just now and may come back, a tick that comes late makes good what has accrued meanwhile
    private const double LatenessSeconds = 1;

    private const int LeastGrant = 64;
    private const int MostLeastGrant = 16 * 1024;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    private readonly Lock _gate = new();
    private LinkedList<BandwidthClaim>? _line;
    private ITimer? _timer;
    private double _bytes;
    private long _seen;
    private long _served;
    private long _rate;
    private bool _ticking;

    /// <summary>Bytes per second; 0 for no limit.</summary>
    public long Rate => Volatile.Read(ref _rate);

    private bool HasLine => _line is { Count: > 0 };

    // what is worth a turn; a bucket with less makes even the first in line wait
    private int Worth => (int)Math.Clamp(_rate / 1000, LeastGrant, MostLeastGrant);

    /// <summary>Sets the rate, also for those who wait.</summary>
    public void SetRate(long rate)
    {
        lock (_gate)
        {
            if (rate == _rate) return;
            Accrue();
            // a bucket begins with one tick's worth: the burst is for those who kept still
            _bytes = _rate == 0 ? rate * Tick.TotalSeconds : Math.Clamp(_bytes, -rate, rate * BurstSeconds);
            Volatile.Write(ref _rate, rate);
            if (HasLine) TickAfter(TimeSpan.Zero);
        }
    }

    /// <summary>Takes 1 to <paramref name="wanted"/> bytes; 0 means that the claim stands in line and will be told.</summary>
    public int TakeOrWait(int wanted, BandwidthClaim claim)
    {
        if (Rate == 0) return wanted;
        lock (_gate)
        {
            if (_rate == 0) return wanted;
            // right after a tick only what that left over is free: what has come since is shared out at the next
            if (!IsBusy(time.GetTimestamp())) Accrue();
            if (!HasLine && _bytes >= Math.Min(wanted, Worth)) return Spend((int)Math.Min(wanted, _bytes));
            claim.Wanted = wanted;
            (_line ??= new()).AddLast(claim.Place);
            if (!_ticking) TickAfter(TillNext());
            return 0;
        }
    }

    /// <summary>Takes all of it or nothing, without waiting: for datagrams, which are dropped instead. Any amount is allowed while something is there.</summary>
    public bool TryTake(int bytes)
    {
        if (Rate == 0) return true;
        lock (_gate)
        {
            Accrue();
            if (_rate != 0 && _bytes <= 0) return false;
            Spend(bytes);
            return true;
        }
    }

    /// <summary>Takes what was used already, if need be from what is to come; a negative amount gives back.</summary>
    public void Charge(int bytes)
    {
        if (Rate == 0 || bytes == 0) return;
        lock (_gate) Spend(bytes);
    }

    /// <summary>Leaves the line; false when the claim is not in it (any more).</summary>
    public bool Withdraw(BandwidthClaim claim)
    {
        lock (_gate)
        {
            if (_line is null || claim.Place.List != _line) return false;
            _line.Remove(claim.Place);
            return true;
        }
    }

    private int Spend(int bytes)
    {
        _bytes -= bytes;
        return bytes;
    }

    private void Accrue()
    {
        long now = time.GetTimestamp();
        double most = _rate * (IsBusy(now) ? LatenessSeconds : BurstSeconds);
        _bytes = Math.Min(_bytes + (_rate * time.GetElapsedTime(_seen, now).TotalSeconds), most);
        _seen = now;
    }

    private bool IsBusy(long now) => HasLine || time.GetElapsedTime(_served, now) < Tick;

    private TimeSpan TillNext()
    {
        double missing = Math.Min(_line!.First!.Value.Wanted, Worth) - _bytes;
        TimeSpan wait = TimeSpan.FromSeconds(Math.Max(missing, 0) / _rate);
        return wait > Tick ? wait : Tick;
    }

    private void TickAfter(TimeSpan wait)
    {
        _ticking = true;
        _timer ??= time.CreateTimer(static state => ((TokenBucket)state!).Serve(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void Serve()
    {
        var served = new List<(BandwidthClaim Claim, int Bytes)>();
        lock (_gate)
        {
            _ticking = false;
            if (!HasLine) return;
            Accrue();
            _served = _seen;
            double share = Math.Max(_bytes / _line!.Count, Worth);
            while (_line.First is { Value: var claim } place)
            {
                if (_rate != 0 && _bytes < Math.Min(claim.Wanted, Worth)) break;
                _line.Remove(place);
                int granted = _rate == 0 ? claim.Wanted : Spend((int)Math.Min(claim.Wanted, Math.Min(share, _bytes)));
                served.Add((claim, granted));
            }
            if (HasLine) TickAfter(TillNext());
        }
        // claims go on to other buckets and wake their owners: not under this lock
        foreach ((BandwidthClaim claim, int bytes) in served) claim.OnServed(bytes);
    }
}
