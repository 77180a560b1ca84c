import Access
import Foundation

extension Moment {
    /// A day or a moment in an argument: `2026-11-30`, `2026-11-30T12:00:00Z`.
    ///
    /// - Parameter isEnd: whether a day means its end.
    /// - Throws: ``Failure`` for text that is neither.
    static func argument(_ text: String, isEnd: Bool = true) throws -> Moment {
        let full = ISO8601DateFormatter()
        if let date = full.date(from: text) {
            return Moment(seconds: Int64(date.timeIntervalSince1970))
        }
        let day = ISO8601DateFormatter()
        day.formatOptions = [.withFullDate]
        // The formatter reads over what stands behind a day, and takes 30 February for 2 March.
        guard let date = day.date(from: text), day.string(from: date) == text else {
            throw Failure("\(text): YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SSZ")
        }
        return Moment(seconds: Int64(date.timeIntervalSince1970) + (isEnd ? 86_400 : 0))
    }
}
