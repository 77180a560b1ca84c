/// A time in whole seconds since 1970, UTC.
package struct Moment: Hashable, Comparable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    package var seconds: Int64

    package init(seconds: Int64) {
        self.seconds = seconds
    }

    package static func < (one: Moment, other: Moment) -> Bool {
        one.seconds < other.seconds
    }
}
