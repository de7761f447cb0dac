//! GeoJSON geometries (RFC 7946 section 3.1) of a record's locations, longitude before latitude.
//!
//! Checked when read: known type, numbers in range, closed rings, a bounded number of positions.

use serde::Serialize;
use serde_json::Value;

use crate::ids::Malformed;

/// Positions beyond this belong into a file.
const MAX_POSITIONS: usize = 10_000;

/// A checked GeoJSON geometry object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Geometry(Value);

/// West, south, east, north in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

impl Geometry {
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        let mut left = MAX_POSITIONS;
        check(value, &mut left, 0)?;
        Ok(Self(value.clone()))
    }
    pub fn as_value(&self) -> &Value {
        &self.0
    }
    /// Longitude and latitude, when it is a point.
    pub fn point(&self) -> Option<(f64, f64)> {
        (self.0["type"] == "Point").then(|| position(&self.0["coordinates"]))?
    }
    /// The outer ring, when it is a polygon.
    pub fn polygon(&self) -> Option<Vec<(f64, f64)>> {
        if self.0["type"] != "Polygon" {
            return None;
        }
        self.0["coordinates"][0]
            .as_array()?
            .iter()
            .map(position)
            .collect()
    }
    /// The box around all of it. A shape across the antimeridian gets the long way round.
    pub fn bounds(&self) -> Option<Bounds> {
        let mut all = Vec::new();
        positions(&self.0, &mut all, 0);
        all.into_iter().fold(None, |bounds, (x, y)| {
            let b = bounds.unwrap_or(Bounds {
                west: x,
                south: y,
                east: x,
                north: y,
            });
            Some(Bounds {
                west: b.west.min(x),
                south: b.south.min(y),
                east: b.east.max(x),
                north: b.north.max(y),
            })
        })
    }
}

fn check(value: &Value, left: &mut usize, depth: usize) -> Result<(), Malformed> {
    let wrong = Malformed("geometry");
    let c = &value["coordinates"];
    match value["type"].as_str() {
        Some("Point") => place(c, left),
        Some("MultiPoint") => each(c, 1, |p| place(p, left)),
        Some("LineString") => each(c, 2, |p| place(p, left)),
        Some("MultiLineString") => each(c, 1, |line| each(line, 2, |p| place(p, left))),
        Some("Polygon") => each(c, 1, |r| ring(r, left)),
        Some("MultiPolygon") => each(c, 1, |p| each(p, 1, |r| ring(r, left))),
        Some("GeometryCollection") if depth < 2 => {
            each(&value["geometries"], 1, |g| check(g, left, depth + 1))
        }
        _ => Err(wrong),
    }
}

fn each(
    value: &Value,
    least: usize,
    mut f: impl FnMut(&Value) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    match value.as_array() {
        Some(list) if list.len() >= least => list.iter().try_for_each(&mut f),
        _ => Err(Malformed("geometry")),
    }
}

fn ring(value: &Value, left: &mut usize) -> Result<(), Malformed> {
    each(value, 4, |p| place(p, left))?;
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.first().and_then(position) == list.last().and_then(position) {
        Ok(())
    } else {
        Err(Malformed("geometry-ring"))
    }
}

fn place(value: &Value, left: &mut usize) -> Result<(), Malformed> {
    *left = left.checked_sub(1).ok_or(Malformed("geometry-too-large"))?;
    let (x, y) = position(value).ok_or(Malformed("geometry"))?;
    if (-180.0..=180.0).contains(&x) && (-90.0..=90.0).contains(&y) {
        Ok(())
    } else {
        Err(Malformed("geometry-range"))
    }
}

fn position(value: &Value) -> Option<(f64, f64)> {
    let list = value.as_array().filter(|l| (2..=3).contains(&l.len()))?;
    Some((list[0].as_f64()?, list[1].as_f64()?))
}

fn positions(value: &Value, into: &mut Vec<(f64, f64)>, depth: usize) {
    match value {
        Value::Array(list) => {
            if let Some(p) = position(value) {
                into.push(p);
            } else if depth < 8 {
                for v in list {
                    positions(v, into, depth + 1);
                }
            }
        }
        Value::Object(map) => {
            for v in [map.get("coordinates"), map.get("geometries")]
                .into_iter()
                .flatten()
            {
                positions(v, into, depth + 1);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shapes_are_checked_and_measured() {
        let hanoi =
            Geometry::read(&json!({"type": "Point", "coordinates": [105.85, 21.03]})).unwrap();
        assert_eq!(hanoi.point(), Some((105.85, 21.03)));
        let delta = Geometry::read(&json!({"type": "Polygon", "coordinates":
            [[[105.0, 9.0], [107.0, 9.0], [106.0, 11.0], [105.0, 9.0]]]}))
        .unwrap();
        let b = delta.bounds().unwrap();
        assert_eq!(
            (b.west, b.south, b.east, b.north),
            (105.0, 9.0, 107.0, 11.0)
        );
        assert_eq!(delta.polygon().unwrap().len(), 4);
        for (bad, code) in [
            (
                json!({"type": "Point", "coordinates": [21.03, 105.85]}),
                "geometry-range",
            ),
            (
                json!({"type": "Point", "coordinates": ["a", 1]}),
                "geometry",
            ),
            (json!({"type": "Ball", "coordinates": [1, 1]}), "geometry"),
            (
                json!({"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,1]]]}),
                "geometry-ring",
            ),
            (json!("Point"), "geometry"),
            (
                json!({"type": "LineString", "coordinates": vec![[0, 0]; 10_001]}),
                "geometry-too-large",
            ),
        ] {
            assert_eq!(Geometry::read(&bad), Err(Malformed(code)), "{bad:.60}");
        }
    }
}
