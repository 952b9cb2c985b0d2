namespace ProxyShell.Engine.Relaying;

/// <summary>
/// One party's claim to bytes of one direction. It gets them from one bucket after another, the narrower first, so that who is held
/// back by its own limit takes nothing from the common one. Waiting costs the owner nothing: it is woken when all have given.
/// </summary>
internal abstract class BandwidthClaim
{
    private readonly Bandwidth _bandwidth;
    private readonly TrafficDirection _direction;
    private TokenBucket[] _buckets = [];
    private int _stage;
    private int _granted;
    private int _ready;
    private bool _waiting;
    private volatile bool _givenUp;

    protected BandwidthClaim(Bandwidth bandwidth, TrafficDirection direction)
    {
        (_bandwidth, _direction) = (bandwidth, direction);
        Place = new LinkedListNode<BandwidthClaim>(this);
    }

    /// <summary>Bytes that may be moved now; the owner's.</summary>
    public int Bytes { get; private set; }

    /// <summary>Where it stands in line, and for how much; the bucket's, under its lock.</summary>
    public LinkedListNode<BandwidthClaim> Place { get; }

    public int Wanted { get; set; }

    /// <summary>Whether some bytes may be moved; if not, the owner will be woken. The owner asks, one thread at a time.</summary>
    public bool TryRenew(int wanted)
    {
        if (Bytes > 0 || TryCollect()) return true;
        if (_waiting) return false;
        _waiting = true;
        _buckets = _bandwidth.Buckets(_direction);
        (_stage, _granted) = (-1, wanted);
        return GoOn(wanted) && TryCollect();
    }

    public void Use(int bytes) => Bytes -= bytes;

    /// <summary>Gives back what is not used.</summary>
    public void GiveBack()
    {
        if (Bytes == 0) return;
        foreach (TokenBucket bucket in _buckets) bucket.Charge(-Bytes);
        Bytes = 0;
    }

    /// <summary>Leaves every line; the owner is done.</summary>
    public void GiveUp()
    {
        _givenUp = true;
        TryCollect();
        GiveBack();
        for (int i = 0; i < _buckets.Length; i++)
        {
            if (!_buckets[i].Withdraw(this)) continue;
            GiveBackUpTo(i, _granted);
            return;
        }
    }

    /// <summary>A bucket has given so much; called on any thread, not under its lock.</summary>
    public void OnServed(int bytes)
    {
        if (GoOn(bytes)) Wake();
    }

    /// <summary>Tells the owner to ask again.</summary>
    protected abstract void Wake();

    // true: all buckets have given; false: the claim stands in a line, and another thread may be going on with it already
    private bool GoOn(int granted)
    {
        while (true)
        {
            if (_stage > 0) GiveBackUpTo(_stage, _granted - granted);
            _granted = granted;
            if (++_stage >= _buckets.Length) break;
            granted = _buckets[_stage].TakeOrWait(granted, this);
            if (granted == 0) return false;
        }
        if (_givenUp) GiveBackUpTo(_buckets.Length, granted);
        else Volatile.Write(ref _ready, granted);
        return true;
    }

    private void GiveBackUpTo(int stage, int bytes)
    {
        for (int i = 0; i < stage; i++) _buckets[i].Charge(-bytes);
    }

    private bool TryCollect()
    {
        int ready = Interlocked.Exchange(ref _ready, 0);
        if (ready == 0) return false;
        Bytes += ready;
        _waiting = false;
        return true;
    }
}
