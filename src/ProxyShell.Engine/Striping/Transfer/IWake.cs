namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>Somebody who is to go on when the lock of the stripe set is released.</summary>
internal interface IWake
{
    void Wake();
}
