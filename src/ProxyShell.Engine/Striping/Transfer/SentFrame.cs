namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>A frame under way on a stripe, and what the stripe had delivered when it left: from that follows the rate once it has arrived.</summary>
/// <param name="Frame">The frame.</param>
/// <param name="SentAt">When it was handed to the connection, in microseconds.</param>
/// <param name="FirstSentAt">When the first of those left that were under way together with it.</param>
/// <param name="Delivered">The bytes that had been acknowledged by then.</param>
/// <param name="DeliveredAt">When the last of those was acknowledged.</param>
/// <param name="IsAppLimited">Whether more could have been under way, had there been more to send: then the rate says little.</param>
internal readonly record struct SentFrame(OutFrame Frame, long SentAt, long FirstSentAt, long Delivered, long DeliveredAt, bool IsAppLimited);
