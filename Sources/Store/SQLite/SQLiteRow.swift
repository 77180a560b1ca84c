import Foundation
import GRDB

/// A type whose values a column of SQLite can hold.
protocol SQLiteValue: DatabaseValueConvertible, StatementColumnConvertible {}

/// The positions of a query's columns. All rows of a query share them: GRDB compares the names one
/// by one in each copied row.
final class SQLiteColumns {
    /// The position of each column by name.
    let positions: [String: Int]

    /// The columns of a prepared statement.
    init(_ statement: Statement) {
        let names = statement.columnNames.enumerated().map { ($1, $0) }
        self.positions = Dictionary(names) { first, _ in first }
    }
}

/// A row of SQLite.
struct SQLiteRow {
    /// GRDB's row.
    let row: Row
    /// The columns of the query.
    let columns: SQLiteColumns

    /// The position of a column; an unknown name is a mistake in a query, and traps.
    private func position(of column: String) -> Int {
        guard let position = self.columns.positions[column] else {
            preconditionFailure("no column \(column) in the query")
        }
        return position
    }

    /// The value of a column that has one in each row.
    func required<Value: SQLiteValue>(_ column: String) -> Value {
        self.row[self.position(of: column)]
    }

    /// The value of a column; nil for NULL.
    func value<Value: SQLiteValue>(_ column: String) -> Value? {
        self.row[self.position(of: column)]
    }

    /// The value at a position that has one in each row.
    func required<Value: SQLiteValue>(at index: Int) -> Value { self.row[index] }

    /// The value at a position; nil for NULL.
    func value<Value: SQLiteValue>(at index: Int) -> Value? { self.row[index] }

    /// Whether the query has a column of this name.
    func hasColumn(_ name: String) -> Bool { self.columns.positions[name] != nil }

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
