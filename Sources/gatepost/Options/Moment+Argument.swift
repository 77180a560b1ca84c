import Access
import Foundation

extension Moment {
    /// Reads a date or a time from an argument: `2026-11-30` or `2026-11-30T12:00:00Z`, in UTC.
    ///
    /// - Parameters:
    ///   - text: the argument.
    ///   - isEnd: whether a date stands for the end of its day instead of the start.
    /// - Throws: ``Failure`` if the text has neither form.
    static func argument(_ text: String, isEnd: Bool = true) throws -> Moment {
        let full = ISO8601DateFormatter()
        if let date = full.date(from: text) {
            return Moment(seconds: Int64(date.timeIntervalSince1970))
        }
        let day = ISO8601DateFormatter()
        day.formatOptions = [.withFullDate]
        // The formatter reads over what stands behind a day, and takes 30 February for 2 March.
        guard let date = day.date(from: text), day.string(from: date) == text else {
            throw Failure("\(text) is not a date: write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ")
        }
        return Moment(seconds: Int64(date.timeIntervalSince1970) + (isEnd ? 86_400 : 0))
    }
}
