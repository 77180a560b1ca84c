/// Where a long operation of the store reports how far it is.
package struct StoreProgress: Sendable {
    /// Elements between two reports: a report takes a lock.
    private static let interval = 1_024

    /// Receives the activity in words, the number of elements that are done, and the number of
    /// all, if it is known.
    private let report: @Sendable (_ activity: String, _ done: Int, _ total: Int?) -> Void

    /// Creates a receiver; it may be called on any thread.
    package init(
        _ report: @escaping @Sendable (_ activity: String, _ done: Int, _ total: Int?) -> Void
    ) {
        self.report = report
    }

    /// Reports to nobody.
    package static let none = StoreProgress { _, _, _ in }

    /// Begins an activity.
    package func begin(_ activity: String) { self.report(activity, 0, nil) }

    /// Reports that some elements of an activity are done, for every 1,024th element.
    package func advance(_ activity: String, done: Int, of total: Int) {
        guard done.isMultiple(of: Self.interval) else { return }
        self.report(activity, done, total)
    }
}
