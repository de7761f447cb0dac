//! Where the data is from: a box or points on a net of meridians and parallels, as plain numbers for
//! an SVG. No coast or border is drawn: a simplified outline is wrong somewhere, and a wrong
//! border is worse than none.

use serde::Serialize;

/// West, south, east, north in degrees (WGS 84), and what the place is called.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
    pub places: Vec<String>,
    pub map: Map,
}

/// The drawing in a view box of `WIDTH` by `HEIGHT`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Map {
    pub width: f64,
    pub height: f64,
    /// `x` of each meridian, with its label.
    pub meridians: Vec<(f64, String)>,
    pub parallels: Vec<(f64, String)>,
    /// x, y, width, height; `None` when the place is smaller than a dot.
    pub area: Option<(f64, f64, f64, f64)>,
    pub middle: (f64, f64),
}

const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 150.0;

impl Coverage {
    /// `None` when a bound is not a number or not on the globe. East may be less than west: then the
    /// box crosses the antimeridian, and is drawn as the whole width.
    pub fn new(west: f64, south: f64, east: f64, north: f64, places: Vec<String>) -> Option<Self> {
        let on_globe = [west, east].iter().all(|x| x.abs() <= 180.0)
            && [south, north].iter().all(|y| y.abs() <= 90.0);
        (on_globe && south <= north).then(|| Self {
            west,
            south,
            east,
            north,
            places,
            map: Map::of(west, south, east, north),
        })
    }

    pub fn point(longitude: f64, latitude: f64, places: Vec<String>) -> Option<Self> {
        Self::new(longitude, latitude, longitude, latitude, places)
    }
}

impl Map {
    fn of(west: f64, south: f64, east: f64, north: f64) -> Self {
        let (west, east) = if east < west {
            (-180.0, 180.0)
        } else {
            (west, east)
        };
        // A window half as large again, at least four degrees high, in the shape of the drawing.
        let high = ((north - south) * 1.5)
            .max((east - west) * 1.5 * HEIGHT / WIDTH)
            .clamp(4.0, 180.0);
        let wide = high * WIDTH / HEIGHT;
        let left = (west + east - wide) / 2.0;
        let top = f64::midpoint(north, south) + high / 2.0;
        let scale = WIDTH / wide;
        let x = |longitude: f64| rounded((longitude - left) * scale);
        let y = |latitude: f64| rounded((top - latitude) * scale);
        let step = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 45.0]
            .into_iter()
            .find(|s| high / s <= 4.5)
            .unwrap_or(90.0);
        let lines = |from: f64, to: f64, limit: f64| {
            let mut marks = Vec::new();
            let mut at = (from / step).ceil() * step;
            while at < to {
                if at.abs() <= limit {
                    marks.push(at);
                }
                at += step;
            }
            marks
        };
        let size = (
            rounded((east - west) * scale),
            rounded((north - south) * scale),
        );
        Self {
            width: WIDTH,
            height: HEIGHT,
            meridians: lines(left, left + wide, 180.0)
                .into_iter()
                .map(|at| (x(at), degrees(at)))
                .collect(),
            parallels: lines(top - high, top, 90.0)
                .into_iter()
                .map(|at| (y(at), degrees(at)))
                .collect(),
            area: (size.0 > 3.0 || size.1 > 3.0).then(|| (x(west), y(north), size.0, size.1)),
            middle: (x(f64::midpoint(west, east)), y(f64::midpoint(north, south))),
        }
    }
}

fn rounded(n: f64) -> f64 {
    (n * 10.0).round() / 10.0
}

fn degrees(n: f64) -> String {
    format!("{n:.0}°")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_drawn_inside_the_window_with_lines_around_it() {
        let map = Coverage::new(104.4, 8.5, 106.8, 11.0, Vec::new())
            .unwrap()
            .map;
        let (x, y, w, h) = map.area.unwrap();
        assert!(x > 0.0 && y > 0.0 && x + w < WIDTH && y + h < HEIGHT);
        assert!((2..=9).contains(&map.meridians.len()) && (2..=5).contains(&map.parallels.len()));
    }

    #[test]
    fn a_point_is_a_dot_in_the_middle_and_the_globe_is_whole() {
        let map = Coverage::point(105.8, 21.0, Vec::new()).unwrap().map;
        assert_eq!((map.area, map.middle), (None, (120.0, 75.0)));
        let globe = Coverage::new(-180.0, -90.0, 180.0, 90.0, Vec::new())
            .unwrap()
            .map;
        assert!(globe.parallels.len() <= 6);
    }

    #[test]
    fn what_is_not_on_the_globe_is_not_drawn() {
        assert!(Coverage::new(f64::NAN, 0.0, 1.0, 1.0, Vec::new()).is_none());
        assert!(Coverage::new(0.0, 91.0, 1.0, 92.0, Vec::new()).is_none());
        assert!(Coverage::new(0.0, 5.0, 1.0, 4.0, Vec::new()).is_none());
    }
}
