import Foundation
import GRDB

/// A type whose values a column of SQLite can hold.
protocol SQLiteValue: DatabaseValueConvertible, StatementColumnConvertible {}

/// A row of SQLite.
struct SQLiteRow {
    /// GRDB's row.
    let row: Row

    /// The value of a column that has one in each row.
    func required<Value: SQLiteValue>(_ column: String) -> Value { self.row[column] }

    /// The value of a column; nil for NULL.
    func value<Value: SQLiteValue>(_ column: String) -> Value? { self.row[column] }

    /// The value at a position; nil for NULL.
    func value<Value: SQLiteValue>(at index: Int) -> Value? { self.row[index] }

    /// Whether the query has a column of this name.
    func hasColumn(_ name: String) -> Bool { self.row.hasColumn(name) }

    /// All values, each with the type in which it is stored.
    var cells: [StoreCell] {
        self.row.databaseValues.map { value in
            switch value.storage {
            case .int64(let number): .integer(number)
            case .string(let text): .text(text)
            case .blob(let octets): .octets(octets)
            case .null: .null
            // No column stores fractions.
            case .double(let number): Int64(exactly: number).map(StoreCell.integer) ?? .null
            }
        }
    }
}
