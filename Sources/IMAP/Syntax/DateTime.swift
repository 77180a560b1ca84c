package import struct NIOCore.ByteBuffer

/// The time of an INTERNALDATE, `17-Jul-1996 02:44:25 -0700`. Servers may write the same time in
/// different zones.
package struct DateTime: Equatable, Sendable {
    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970.
    package let seconds: Int64

    ///     date-time = date-day-fixed "-" date-month "-" date-year SP time SP zone
    ///
    /// - Parameter text: the date-time without quotes.
    /// - Returns: nil for other texts.
    package init?(_ text: ByteBuffer) {
        var cursor = Cursor(text)
        _ = cursor.take(" ")
        guard let day = try? cursor.number(), day >= 1, day <= 31, cursor.take("-"),
            let month = Self.months.firstIndex(where: { cursor.take(word: $0) }),
            cursor.take("-"), let year = try? cursor.number(), year <= 9_999, cursor.take(" "),
            let hour = try? cursor.number(), hour < 24, cursor.take(":"),
            let minute = try? cursor.number(), minute < 60, cursor.take(":"),
            let second = try? cursor.number(), second <= 60, cursor.take(" ")
        else { return nil }
        let isWest = cursor.take("-")
        guard isWest || cursor.take("+"), let zone = try? cursor.number(), zone <= 2_400,
            cursor.isAtEnd
        else { return nil }
        let offset = Int64(zone / 100 * 60 + zone % 100) * 60
        let days = Self.days(Int64(year), month: Int64(month) + 1, day: Int64(day))
        let local = days * 86_400 + Int64(hour) * 3_600 + Int64(minute) * 60 + Int64(second)
        self.seconds = local + (isWest ? offset : -offset)
    }

    /// Days from 1970-01-01 to a date of the Gregorian calendar. A year starts in March here, so
    /// that the leap day is its last day.
    private static func days(_ year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
