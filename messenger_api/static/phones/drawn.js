// A picture for who has none at hand.

const SIDE = 480;

export function drawn() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const draw = canvas.getContext("2d");
  const hue = Math.floor(Math.random() * 360);
  const sky = draw.createLinearGradient(0, 0, 0, SIDE);
  sky.addColorStop(0, `hsl(${hue} 70% 62%)`);
  sky.addColorStop(1, `hsl(${(hue + 50) % 360} 85% 82%)`);
  draw.fillStyle = sky;
  draw.fillRect(0, 0, SIDE, SIDE);
  draw.fillStyle = "#fff6dc";
  draw.beginPath();
  draw.arc(SIDE * (0.3 + Math.random() * 0.4), SIDE * 0.36, SIDE * 0.13, 0, 7);
  draw.fill();
  for (const [height, light] of [[0.62, 42], [0.76, 30]]) {
    draw.fillStyle = `hsl(${(hue + 150) % 360} 38% ${light}%)`;
    draw.beginPath();
    draw.moveTo(0, SIDE);
    for (let x = 0; x <= SIDE; x += 8) draw.lineTo(x, SIDE * (height + 0.07 * Math.sin(x / 70 + hue + light)));
    draw.lineTo(SIDE, SIDE);
    draw.fill();
  }
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
}
